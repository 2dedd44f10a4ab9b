// Cosine similarity between rows, over abstract ops.

import type { TensorOps } from '../backend/ops.js';
import { normalizeRows, safeNorms } from './normalize.js';

/**
 * Cosine of every row of `a` `[n, d]` with every row of `b` `[m, d]`: `[n, m]`. A zero row has cosine 0 with all.
 * @param norms the lengths of the rows of `a`, `[n, 1]`; to be handed over where they are known.
 */
export function cosineSimilarity<T>(ops: TensorOps<T>, a: T, b: T, norms: T = ops.rowNorms(a)): T {
  // Dividing the product by a's norms, instead of a itself, saves a pass over what is usually the largest tensor.
  return ops.divide(ops.matMul(a, normalizeRows(ops, b), { transposeB: true }), safeNorms(ops, norms));
}
