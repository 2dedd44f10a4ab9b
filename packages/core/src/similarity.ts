// How alike rows are, over abstract ops: cosines, the relevance of vision tokens to a question, how peaked a distribution is.

import type { TensorOps } from './backend/ops.js';

/** Row norms raised to at least 1e-8, so that they can be divided by. */
export function safeNorms<T>(ops: TensorOps<T>, norms: T): T {
  return ops.maximum(norms, ops.scalar(1e-8));
}

/** `x` `[n, d]` with rows of unit length; a zero row stays zero, never NaN. */
export function normalizeRows<T>(ops: TensorOps<T>, x: T): T {
  return ops.divide(x, safeNorms(ops, ops.rowNorms(x)));
}

/**
 * Cosine of every row of `a` `[n, d]` with every row of `b` `[m, d]`: `[n, m]`. A zero row has cosine 0 with all.
 * @param norms the lengths of the rows of `a`, `[n, 1]`; to be handed over where they are known.
 */
export function cosineSimilarity<T>(ops: TensorOps<T>, a: T, b: T, norms: T = ops.rowNorms(a)): T {
  // Dividing the product by a's norms, instead of a itself, saves a pass over what is usually the largest tensor.
  return ops.divide(ops.matMul(a, normalizeRows(ops, b), { transposeB: true }), safeNorms(ops, norms));
}

/**
 * For each column of `p` `[n, m]`, a distribution over `n` candidates: 1 − H / log n, where H is its entropy. 1 for a
 * column that points at one candidate, 0 for a flat one. Shape `[1, m]`.
 */
export function columnPeakedness<T>(ops: TensorOps<T>, p: T): T {
  const tiny = ops.scalar(1e-30);
  const surprise = ops.multiply(p, ops.log(ops.maximum(p, tiny)));
  const negativeEntropy = ops.sum(surprise, 0, { keepDims: true });
  const logCandidates = ops.maximum(ops.log(ops.size(p, 0)), tiny);
  return ops.add(ops.scalar(1), ops.divide(negativeEntropy, logCandidates));
}

/**
 * The mean cosine of every row of `vision` `[n, D]` with the rows of `text` `[m, D]`, scaled so that the lowest becomes 0
 * and the highest 1: `[n, 1]`. All 0 where the rows do not differ. Scaled, because text and vision tokens of real models
 * lie far apart, and what separates relevant tokens from others is small beside that.
 * @param norms the lengths of the rows of `vision`, `[n, 1]`.
 */
export function relevance<T>(ops: TensorOps<T>, vision: T, text: T, norms: T): T {
  // The cosine with the sum of unit rows is the mean cosine but for a factor, which the scaling takes out.
  const direction = ops.sum(normalizeRows(ops, text), 0, { keepDims: true });
  const cosines = cosineSimilarity(ops, vision, direction, norms);
  const minusLowest = ops.max(ops.subtract(ops.scalar(0), cosines), 0, { keepDims: true });
  const above = ops.add(cosines, minusLowest);
  const range = ops.max(above, 0, { keepDims: true });
  return ops.divide(above, ops.maximum(range, ops.scalar(1e-6)));
}
