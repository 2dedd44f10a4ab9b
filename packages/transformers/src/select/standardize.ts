// Standardizes vision features per dimension, for encoders in which one dimension dominates all others.

import type { Float32Tensor } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { sum } from '@mmtok/core/internal';

/** When to standardize: never, always, or only if one dimension holds most of the variance. */
export type Standardize = 'off' | 'on' | 'auto';

/**
 * If the top dimension holds more than this fraction of the centered variance, `auto` standardizes. In most encoders, it holds a
 * few percent.
 */
const DEGENERATE_SHARE = 0.5;

interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

function moments({ data, dims }: Float32Tensor): Moments {
  const [rows = 0, columns = 0] = dims;
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  for (let at = 0; at < data.length; at++)
    mean[at % columns] = (mean[at % columns] as number) + (data[at] as number);
  for (let column = 0; column < columns; column++)
    mean[column] = (mean[column] as number) / Math.max(rows, 1);
  for (let at = 0; at < data.length; at++) {
    const column = at % columns;
    variance[column] = (variance[column] as number) + ((data[at] as number) - (mean[column] as number)) ** 2;
  }
  for (let column = 0; column < columns; column++)
    variance[column] = (variance[column] as number) / Math.max(rows, 1);
  return { mean, variance };
}

/**
 * The fraction of the features' centered variance in the dimension with the largest variance, in [0, 1]; 0 for constant features.
 * Before its merger, Qwen2.5-VL has 0.99 in one dimension, which makes all cosines nearly equal.
 */
export function topVarianceShare(features: Float32Tensor): number {
  const { variance } = moments(features);
  const total = sum(variance);
  return total === 0 ? 0 : Math.max(...variance) / total;
}

/** Features `[n, d]` with mean 0 and variance 1 in each dimension; constant dimensions become 0. */
export function standardize(features: Float32Tensor): Float32Tensor {
  const { mean, variance } = moments(features);
  const columns = mean.length;
  const data = features.data.map((value, at) => {
    const column = at % columns;
    const spread = Math.sqrt(variance[column] as number);
    return spread === 0 ? 0 : (value - (mean[column] as number)) / spread;
  });
  return float32(data, features.dims);
}

/** Standardizes if requested, and returns whether it did. */
export function repair(
  features: Float32Tensor,
  when: Standardize,
): { features: Float32Tensor; repaired: boolean } {
  const repaired = when === 'on' || (when === 'auto' && topVarianceShare(features) > DEGENERATE_SHARE);
  return { features: repaired ? standardize(features) : features, repaired };
}
