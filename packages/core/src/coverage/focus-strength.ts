// How strongly a question may weight vision tokens, from not at all to fully: measured from the image and the question.

import type { TensorOps } from '../backend/backend.js';
import { normalizeRows, safeNorms } from '../similarity.js';

/** The focus strength for a question that clearly distinguishes vision tokens. Chosen on validation questions of three models. */
export const FULL_FOCUS = 3;

/** Evidence below which there is no focus, and above which it is full. Chosen on validation questions of both embedded models. */
const NO_EVIDENCE = 0.9;
const FULL_EVIDENCE = 1;

/** Standard deviations of cosines below this are rounding errors: they are square roots of differences in single precision. */
const LEAST_DEVIATION = 1e-3;

/**
 * Whether any text token matches a vision token better than noise would.
 *
 * For each pair, it measures how far their cosine is above that text token's mean over the image, in standard deviations of a
 * null model in which the signs of the text token's dimensions are random. Such a row has no meaning but the same
 * magnitudes, so dimensions that are large in all tokens and outlier tokens do not count as evidence. With
 * c = v̂ − mean, the standard deviation is √(Σ_d t̂_d² c_d²), so no sampling is needed. The result is the maximum over all pairs,
 * divided by √(2 ln(n m)), which the maximum of n · m independent standard normal variables exceeds
 * one time in ten. Noise scores about 0.7.
 *
 * It measures whether the text says anything about this image, not whether it is what the user wants to know: a question about
 * another image scores as high as one about this image if this image shows what it names.
 *
 * @param vision `[n, D]`
 * @param text `[m, D]`
 * @param norms the lengths of the rows of `vision`, `[n, 1]`.
 * @returns `[1, 1]`; 0 if all vision tokens are equal or the text is zero.
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
  // Σ t̂² (v̂ − mean)², expanded, so that only one tensor as large as the vision tokens is allocated.
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
 * A focus strength that noise cannot drive: from 0, if the text says no more about the image than noise would, to
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
