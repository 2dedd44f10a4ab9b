// Similarities over abstract ops: cosines, the relevance of vision tokens to a question, the peakedness of a distribution. Also when
// features are too wide to compare.

import type { TensorOps } from './backend/backend.js';

/** Row norms clamped to at least 1e-8, to be safe divisors. */
export function safeNorms<T>(ops: TensorOps<T>, norms: T): T {
  return ops.maximum(norms, ops.scalar(1e-8));
}

/** `x` `[n, d]` with rows of unit length. A zero row stays zero, never NaN. */
export function normalizeRows<T>(ops: TensorOps<T>, x: T): T {
  return ops.divide(x, safeNorms(ops, ops.rowNorms(x)));
}

/**
 * Cosines between the rows of `a` `[n, d]` and the rows of `b` `[m, d]`: `[n, m]`. A zero row has cosine 0 with everything.
 * @param norms row norms of `a`, `[n, 1]`, if known.
 */
export function cosineSimilarity<T>(ops: TensorOps<T>, a: T, b: T, norms: T = ops.rowNorms(a)): T {
  // Dividing the product rather than `a` by a's norms saves a pass over what is usually the largest tensor.
  return ops.divide(ops.matMul(a, normalizeRows(ops, b), { transposeB: true }), safeNorms(ops, norms));
}

/**
 * For each column of `p` `[n, m]`, a distribution over `n` candidates: 1 − H / log n, where H is its entropy. 1 if the column is
 * concentrated on one candidate, 0 if it is uniform. Shape `[1, m]`.
 */
export function columnPeakedness<T>(ops: TensorOps<T>, p: T): T {
  const tiny = ops.scalar(1e-30);
  const surprise = ops.multiply(p, ops.log(ops.maximum(p, tiny)));
  const negativeEntropy = ops.sum(surprise, 0, { keepDims: true });
  const logCandidates = ops.maximum(ops.log(ops.size(p, 0)), tiny);
  return ops.add(ops.scalar(1), ops.divide(negativeEntropy, logCandidates));
}

/**
 * The mean cosine of every row of `vision` `[n, D]` with the rows of `text` `[m, D]`, rescaled so that the lowest is 0 and the
 * highest 1: `[n, 1]`. All 0 if they are equal. Rescaling is needed because in real models text and vision tokens are far apart,
 * and the differences between tokens are small in comparison.
 * @param norms row norms of `vision`, `[n, 1]`.
 */
export function relevance<T>(ops: TensorOps<T>, vision: T, text: T, norms: T): T {
  // The cosine with the sum of unit rows is proportional to the mean cosine, and rescaling removes the factor.
  const direction = ops.sum(normalizeRows(ops, text), 0, { keepDims: true });
  const cosines = cosineSimilarity(ops, vision, direction, norms);
  const minusLowest = ops.max(ops.subtract(ops.scalar(0), cosines), 0, { keepDims: true });
  const above = ops.add(cosines, minusLowest);
  const range = ops.max(above, 0, { keepDims: true });
  return ops.divide(above, ops.maximum(range, ops.scalar(1e-6)));
}

/** How many times as wide as the projected tokens features may be. */
const WIDEST = 4;

/**
 * Whether features from before the projector are so wide that comparing them costs several times as much as comparing the
 * projected tokens. See docs/decisions/0012.
 * @param featureWidth d of features `[n, d]`.
 * @param tokenWidth D of projected tokens `[n, D]`.
 */
export function areTooWide(featureWidth: number, tokenWidth: number): boolean {
  return featureWidth > WIDEST * tokenWidth;
}
