// How relevant every vision token is to a question, over abstract ops: used to weigh them as targets.

import type { TensorOps } from '../backend/ops.js';
import { cosineSimilarity } from './cosine.js';
import { normalizeRows } from './normalize.js';

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
