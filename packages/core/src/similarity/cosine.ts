// Cosine similarity between rows, over abstract ops.

import type { TensorOps } from '../backend/ops.js';

/** Cosine of every row of `a` `[n, d]` with every row of `b` `[m, d]`: `[n, m]`. A zero row has cosine 0 with all. */
export function cosineSimilarity<T>(ops: TensorOps<T>, a: T, b: T): T {
  return ops.matMul(ops.normalizeRows(a), ops.normalizeRows(b), {
    transposeB: true,
  });
}
