// How strongly a question may weight vision tokens, from not at all to fully: measured from the image and the question.

import type { TensorOps } from '../backend/backend.js';
import { normalizeRows, relevance, safeNorms } from '../similarity.js';

/** The focus strength for a question that names what only a part of the image shows. Chosen on validation questions of three models. */
export const FULL_FOCUS = 3;

/** The focus strength for a question that only matches what most of the image shows. Chosen like {@link FULL_FOCUS}. */
export const TYPICAL_FOCUS = 2;

/** Evidence from which each strength grows, to its full size at {@link RISE} more. Chosen on validation questions of three models. */
const NO_EVIDENCE = { aboveMean: 0.85, aboveTypical: 0.95 };
const RISE = 0.1;

/** Standard deviations of cosines below this are rounding errors: they are square roots of differences in single precision. */
const LEAST_DEVIATION = 1e-3;

/** Steepness of the softmax over typicality, which is 0 to 1: a token at half of the range counts e⁻⁴ as much as the most typical. */
const TYPICALITY = 8;

/** Evidence that a text says something about an image, relative to two centers. Tensors of shape `[1, 1]`. */
export interface TextEvidence<T> {
  /** Relative to the mean of the vision tokens. A word that matches most of the image, such as its background, has it too. */
  readonly aboveMean: T;
  /** Relative to the typical vision token. Only words that match some of the image have it. */
  readonly aboveTypical: T;
}

/**
 * Whether any text token matches a vision token better than noise would.
 *
 * For each pair, it measures how far their cosine is above that of the text token with a center of the image, in standard deviations
 * of a null model in which the signs of the text token's dimensions are random. Such a row has no meaning but the same magnitudes, so
 * dimensions that are large in all tokens and outlier tokens do not count as evidence. With c = v̂ − center, the standard deviation is
 * √(Σ_d t̂_d² c_d²), so no sampling is needed. The result is the maximum over all pairs, divided by √(2 ln(n m)), which the maximum
 * of n · m independent standard normal variables exceeds one time in ten. Noise scores about 0.7.
 *
 * One center is the mean of the unit vision tokens, the other the typical one: their mean weighted by e^(8 · typicality), where
 * typicality is the cosine with the plain mean, rescaled to 0 … 1 over the image. In trained models, words that name nothing ("find",
 * "mark", "of") often match whatever most of the image shows. That distinguishes tokens, but not what the question asks for.
 *
 * It measures whether the text says anything about this image, not whether it is what the user wants to know: a question about
 * another image scores as high as one about this image if this image shows what it names.
 *
 * @param vision `[n, D]`
 * @param text `[m, D]`
 * @param norms the lengths of the rows of `vision`, `[n, 1]`.
 * @returns 0 if all vision tokens are equal or the text is zero.
 */
export function textEvidence<T>(ops: TensorOps<T>, vision: T, text: T, norms: T): TextEvidence<T> {
  const squared = (x: T): T => ops.multiply(x, x);
  const root = (x: T): T => ops.exp(ops.multiply(ops.scalar(0.5), ops.log(x)));
  const product = (a: T, b: T): T => ops.matMul(a, b, { transposeB: true });
  const tokens = ops.size(vision, 0);
  const lengths = safeNorms(ops, norms);
  const rows = normalizeRows(ops, text);
  const weights = squared(rows);
  const cosines = ops.divide(product(vision, rows), lengths);
  const squares = ops.divide(product(squared(vision), weights), squared(lengths));
  const pairs = ops.multiply(tokens, ops.size(text, 0));
  const expected = root(ops.maximum(ops.multiply(ops.scalar(2), ops.log(pairs)), ops.scalar(1)));
  /** The mean of the unit vision tokens, weighted by `shares` `[n, 1]`, which sum to 1: `[1, D]`. */
  const centerOf = (shares: T): T => ops.matMul(ops.transpose(ops.divide(shares, lengths)), vision);
  const above = (center: T): T => {
    const heights = ops.subtract(cosines, product(center, rows));
    // Σ t̂² (v̂ − center)², expanded, so that no tensor as large as the vision tokens is allocated per center.
    const crossed = ops.divide(product(vision, ops.multiply(weights, center)), lengths);
    const variances = ops.add(
      ops.subtract(squares, ops.multiply(ops.scalar(2), crossed)),
      product(squared(center), weights),
    );
    const deviations = root(ops.maximum(variances, ops.scalar(LEAST_DEVIATION ** 2)));
    const highest = ops.max(ops.max(ops.divide(heights, deviations), 0, { keepDims: true }), 1, {
      keepDims: true,
    });
    return ops.divide(highest, expected);
  };
  const one = ops.divide(lengths, lengths);
  const mean = centerOf(ops.divide(one, tokens));
  const typicality = relevance(ops, vision, mean, norms);
  const typical = centerOf(ops.softmax(ops.multiply(ops.scalar(TYPICALITY), typicality), 0));
  return { aboveMean: above(mean), aboveTypical: above(typical) };
}

/**
 * A focus strength that neither noise nor words that match everywhere can drive: 0 if the text says no more about the image than noise
 * would, {@link TYPICAL_FOCUS} if it only matches what most of the image shows, {@link FULL_FOCUS} if it matches something else, and
 * strengths in between. Same parameters as {@link textEvidence}. Shape `[1, 1]`.
 */
export function focusStrength<T>(ops: TensorOps<T>, vision: T, text: T, norms: T): T {
  const { aboveMean, aboveTypical } = textEvidence(ops, vision, text, norms);
  const negative = (x: T): T => ops.subtract(ops.scalar(0), x);
  /** From 0 to 1. */
  const share = (evidence: T, none: number): T => {
    const grown = ops.divide(ops.subtract(evidence, ops.scalar(none)), ops.scalar(RISE));
    // The smaller of two numbers is the negative of the larger negative.
    return negative(ops.maximum(negative(ops.maximum(grown, ops.scalar(0))), ops.scalar(-1)));
  };
  const more = ops.multiply(
    share(aboveTypical, NO_EVIDENCE.aboveTypical),
    ops.scalar(FULL_FOCUS - TYPICAL_FOCUS),
  );
  return ops.multiply(share(aboveMean, NO_EVIDENCE.aboveMean), ops.add(ops.scalar(TYPICAL_FOCUS), more));
}
