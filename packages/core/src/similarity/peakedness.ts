// How peaked a distribution is, over abstract ops: used to weigh text tokens by whether they see anything.

import type { TensorOps } from '../backend/ops.js';

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
