// Rows of unit length, over abstract ops.

import type { TensorOps } from '../backend/ops.js';

/** The Euclidean length of every row of `x` `[n, d]`, at least 1e-8 so that it can be divided by: `[n, 1]`. */
export function safeRowNorms<T>(ops: TensorOps<T>, x: T): T {
  return ops.maximum(ops.rowNorms(x), ops.scalar(1e-8));
}

/** `x` `[n, d]` with rows of unit length; a zero row stays zero, never NaN. */
export function normalizeRows<T>(ops: TensorOps<T>, x: T): T {
  return ops.divide(x, safeRowNorms(ops, x));
}
