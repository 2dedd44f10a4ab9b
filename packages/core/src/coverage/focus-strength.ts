// How strongly a question may weigh vision tokens: measured from the image and the question, down to not at all.

import type { TensorOps } from '../backend/ops.js';
import { normalizeRows, safeNorms } from '../similarity.js';

/** The strength of a focus on a question that clearly tells vision tokens apart; the one chosen on validation questions. */
export const FULL_FOCUS = 4;

/** Evidence up to which there is no focus, and from which it is full. Chosen on validation questions of both embedded models. */
const NO_EVIDENCE = 0.8;
const FULL_EVIDENCE = 1;

/** Deviations of cosines below this are rounding: they are roots of differences in single precision. */
const LEAST_DEVIATION = 1e-3;

/**
 * Whether any text token picks out a vision token more than noise would.
 *
 * For each pair it is how far their cosine is above that text token's mean over the image, in standard deviations of what it
 * would be if the signs of the text token's dimensions were drawn at random: such a row has no meaning left, but the same
 * magnitudes, so that neither dimensions that are large in all tokens nor tokens far from all others count as evidence. With
 * c = v̂ − mean, that deviation is √(Σ_d t̂_d² c_d²), so that nothing has to be drawn. The highest of these numbers counts,
 * as a share of √(2 ln(n m)), which the highest of n · m independent normal numbers exceeds
 * one time in ten. Noise comes to about 0.7.
 *
 * It measures whether the text says anything about this image, not whether it is what the user wants to know: a question about
 * another image is as good as one about this, if this shows what it names.
 *
 * @param vision `[n, D]`
 * @param text `[m, D]`
 * @param norms the lengths of the rows of `vision`, `[n, 1]`.
 * @returns `[1, 1]`; 0 where all vision tokens are equal or the text is zero.
 */
export function textEvidence<T>(ops: TensorOps<T>, vision: T, text: T, norms: T): T {
  const squared = (x: T): T => ops.multiply(x, x);
  const root = (x: T): T => ops.exp(ops.multiply(ops.scalar(0.5), ops.log(x)));
  const product = (a: T, b: T): T => ops.matMul(a, b, { transposeB: true });
  const tokens = ops.size(vision, 0);
  const lengths = safeNorms(ops, norms);
  const rows = normalizeRows(ops, text);
  const weights = squared(rows);
  const cosines = ops.divide(product(vision, rows), lengths);
  const above = ops.subtract(cosines, ops.divide(ops.sum(cosines, 0, { keepDims: true }), tokens));
  // Σ t̂² (v̂ − mean)², multiplied out, so that only one tensor as large as the vision tokens is made.
  const inverse = ops.transpose(ops.divide(ops.scalar(1), ops.multiply(lengths, tokens)));
  const mean = ops.matMul(inverse, vision);
  const squares = ops.divide(product(squared(vision), weights), squared(lengths));
  const crossed = ops.divide(product(vision, ops.multiply(weights, mean)), lengths);
  const variances = ops.add(
    ops.subtract(squares, ops.multiply(ops.scalar(2), crossed)),
    product(squared(mean), weights),
  );
  const deviations = root(ops.maximum(variances, ops.scalar(LEAST_DEVIATION ** 2)));
  const highest = ops.max(ops.max(ops.divide(above, deviations), 0, { keepDims: true }), 1, {
    keepDims: true,
  });
  const pairs = ops.multiply(tokens, ops.size(text, 0));
  const expected = root(ops.maximum(ops.multiply(ops.scalar(2), ops.log(pairs)), ops.scalar(1)));
  return ops.divide(highest, expected);
}

/**
 * The strength of a focus that cannot be led by noise: from 0, where the text tells no more of the image than noise would, to
 * {@link FULL_FOCUS}. Same parameters as {@link textEvidence}. Shape `[1, 1]`.
 */
export function focusStrength<T>(ops: TensorOps<T>, vision: T, text: T, norms: T): T {
  const evidence = textEvidence(ops, vision, text, norms);
  const share = ops.divide(
    ops.subtract(evidence, ops.scalar(NO_EVIDENCE)),
    ops.scalar(FULL_EVIDENCE - NO_EVIDENCE),
  );
  const atLeastNone = ops.maximum(share, ops.scalar(0));
  // The smaller of two numbers is the negative of the larger negative.
  const atMostFull = ops.maximum(ops.subtract(ops.scalar(0), atLeastNone), ops.scalar(-1));
  return ops.multiply(atMostFull, ops.scalar(-FULL_FOCUS));
}
