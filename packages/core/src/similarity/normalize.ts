// Rows of unit length, over abstract ops.

import type { TensorOps } from '../backend/ops.js';

/** Row norms raised to at least 1e-8, so that they can be divided by. */
export function safeNorms<T>(ops: TensorOps<T>, norms: T): T {
  return ops.maximum(norms, ops.scalar(1e-8));
}

/** `x` `[n, d]` with rows of unit length; a zero row stays zero, never NaN. */
export function normalizeRows<T>(ops: TensorOps<T>, x: T): T {
  return ops.divide(x, safeNorms(ops, ops.rowNorms(x)));
}
