// Cosine similarity between rows, over abstract ops.

import type { TensorOps } from '../backend/ops.js';
import { normalizeRows, safeRowNorms } from './normalize.js';

/** Cosine of every row of `a` `[n, d]` with every row of `b` `[m, d]`: `[n, m]`. A zero row has cosine 0 with all. */
export function cosineSimilarity<T>(ops: TensorOps<T>, a: T, b: T): T {
  // Dividing the product by a's norms, instead of a itself, saves a pass over what is usually the largest tensor.
  return ops.divide(ops.matMul(a, normalizeRows(ops, b), { transposeB: true }), safeRowNorms(ops, a));
}
