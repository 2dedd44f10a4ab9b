// How strongly a question may weight vision tokens, from not at all to fully: measured from the image and the question.

import type { TensorOps } from '../backend/backend.js';
import { normalizeRows, safeNorms } from '../similarity.js';

/** The focus strength for a question that matches what a part of the image shows. Chosen on validation questions of three models. */
export const DETAIL_FOCUS = 3;

/** The focus strength for a question that is more relevant the more typical a token is. Chosen like {@link DETAIL_FOCUS}. */
export const TYPICAL_FOCUS = 1.5;

/** The focus strength for a question that part of the image is far from, as things are from "background". Chosen likewise. */
export const BACKGROUND_FOCUS = 4;

/** The measure from which each strength grows, and how much higher it is at its full size. Chosen likewise. */
const SOME_EVIDENCE = { from: 0.85, over: 0.1 };
const FULL_EVIDENCE = { from: 0.95, over: 0.1 };
const EVIDENCE_AGAINST = { from: 1.2, over: 0.1 };
const FOLLOWS_TYPICALITY = { from: 0.75, over: 0.15 };

/** Standard deviations of cosines below this are rounding errors: they are square roots of differences in single precision. */
const LEAST_DEVIATION = 1e-3;

/** So are standard deviations of cosines over the vision tokens below this. */
const LEAST_SPREAD = 1e-5;

/** Evidence that a text says something about an image. Tensors of shape `[1, 1]`. */
export interface TextEvidence<T> {
  /** How far the best match of a text and a vision token is above what noise would reach, which is about 0.7. */
  readonly above: T;
  /** Likewise, how far the worst match is below the mean. */
  readonly below: T;
  /** The correlation of relevance and typicality over the vision tokens, from −1 to 1. */
  readonly typicality: T;
}

/**
 * Whether any text token matches a vision token better than noise would, whether any matches worse, and whether the text matches a
 * vision token better the more typical of the image it is.
 *
 * For each pair, it measures how far their cosine is above that of the text token with the mean of the unit vision tokens, in standard
 * deviations of a null model in which the signs of the text token's dimensions are random. Such a row has no meaning but the same
 * magnitudes, so dimensions that are large in all tokens and outlier tokens do not count as evidence. With c = v̂ − mean, the
 * standard deviation is √(Σ_d t̂_d² c_d²), so no sampling is needed. `above` is the maximum over all pairs and `below` that of the
 * negatives, both divided by √(2 ln(n m)), which the maximum of n · m independent standard normal variables exceeds one time in ten.
 *
 * A token's typicality is its cosine with the mean. In trained models, words that name nothing ("find", "mark", "of") often match
 * whatever most of the image shows, so their relevance follows typicality. So does that of a word for the background, but things in
 * the image are far below the mean for that word only.
 *
 * It measures whether the text says anything about this image, not whether it is what the user wants to know: a question about
 * another image scores as high as one about this image if this image shows what it names.
 *
 * @param vision `[n, D]`
 * @param text `[m, D]`
 * @param norms the lengths of the rows of `vision`, `[n, 1]`.
 * @returns 0 in all three if all vision tokens are equal or the text is zero.
 */
export function textEvidence<T>(ops: TensorOps<T>, vision: T, text: T, norms: T): TextEvidence<T> {
  const squared = (x: T): T => ops.multiply(x, x);
  const root = (x: T): T => ops.exp(ops.multiply(ops.scalar(0.5), ops.log(x)));
  const product = (a: T, b: T): T => ops.matMul(a, b, { transposeB: true });
  const tokens = ops.size(vision, 0);
  const lengths = safeNorms(ops, norms);
  const rows = normalizeRows(ops, text);
  const weights = squared(rows);
  const shares = ops.divide(ops.scalar(1), ops.multiply(lengths, tokens));
  const mean = ops.matMul(ops.transpose(shares), vision);
  const heights = ops.subtract(ops.divide(product(vision, rows), lengths), product(mean, rows));
  // Σ t̂² (v̂ − mean)², expanded, so that only one tensor as large as the vision tokens is allocated.
  const squares = ops.divide(product(squared(vision), weights), squared(lengths));
  const crossed = ops.divide(product(vision, ops.multiply(weights, mean)), lengths);
  const variances = ops.add(
    ops.subtract(squares, ops.multiply(ops.scalar(2), crossed)),
    product(squared(mean), weights),
  );
  const deviations = root(ops.maximum(variances, ops.scalar(LEAST_DEVIATION ** 2)));
  const pairs = ops.multiply(tokens, ops.size(text, 0));
  const expected = root(ops.maximum(ops.multiply(ops.scalar(2), ops.log(pairs)), ops.scalar(1)));
  const scores = ops.divide(heights, ops.multiply(deviations, expected));
  const highest = (x: T): T => ops.max(ops.max(x, 0, { keepDims: true }), 1, { keepDims: true });
  // Both have a mean of 0 over the tokens, and rescaling them, as relevance is, leaves the correlation as it is.
  const relevances = ops.divide(ops.sum(heights, 1, { keepDims: true }), ops.size(text, 0));
  const typicalities = ops.subtract(ops.divide(product(vision, mean), lengths), product(mean, mean));
  return {
    above: highest(scores),
    below: highest(negative(ops, scores)),
    typicality: correlation(ops, relevances, typicalities, tokens),
  };
}

function negative<T>(ops: TensorOps<T>, x: T): T {
  return ops.subtract(ops.scalar(0), x);
}

/** The correlation of two columns `[n, 1]` with a mean of 0: `[1, 1]`. About 0 if one of them is 0 but for rounding errors. */
function correlation<T>(ops: TensorOps<T>, a: T, b: T, count: T): T {
  const average = (x: T): T => ops.divide(ops.sum(x, 0, { keepDims: true }), count);
  const logVariance = (x: T): T =>
    ops.log(ops.maximum(average(ops.multiply(x, x)), ops.scalar(LEAST_SPREAD ** 2)));
  const scale = ops.exp(ops.multiply(ops.scalar(-0.5), ops.add(logVariance(a), logVariance(b))));
  return ops.multiply(average(ops.multiply(a, b)), scale);
}

/**
 * A focus strength that neither noise nor words that match everywhere can drive: 0 if the text says no more about the image than noise
 * would, {@link DETAIL_FOCUS} if it matches a part of the image, {@link TYPICAL_FOCUS} if it matches tokens the better the more typical
 * they are, {@link BACKGROUND_FOCUS} if a part of the image is far from it, and strengths in between. Same parameters as
 * {@link textEvidence}. Shape `[1, 1]`.
 */
export function focusStrength<T>(ops: TensorOps<T>, vision: T, text: T, norms: T): T {
  const { above, below, typicality } = textEvidence(ops, vision, text, norms);
  /** From 0 to 1. */
  const share = (measure: T, { from, over }: { readonly from: number; readonly over: number }): T => {
    const grown = ops.divide(ops.subtract(measure, ops.scalar(from)), ops.scalar(over));
    // The smaller of two numbers is the negative of the larger negative.
    return negative(ops, ops.maximum(negative(ops, ops.maximum(grown, ops.scalar(0))), ops.scalar(-1)));
  };
  const typical = ops.multiply(share(above, SOME_EVIDENCE), ops.scalar(TYPICAL_FOCUS));
  const isDetail = ops.multiply(
    share(above, FULL_EVIDENCE),
    ops.subtract(ops.scalar(1), share(typicality, FOLLOWS_TYPICALITY)),
  );
  const strength = ops.add(typical, ops.multiply(isDetail, ops.scalar(DETAIL_FOCUS - TYPICAL_FOCUS)));
  const rest = ops.subtract(ops.scalar(BACKGROUND_FOCUS), strength);
  return ops.add(strength, ops.multiply(share(below, EVIDENCE_AGAINST), rest));
}
