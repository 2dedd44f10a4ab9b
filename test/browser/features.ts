// The same features in a page and in Node, so that none have to be passed between them.

import type { Float32Tensor } from '@mmtok/core';
import { syntheticFeatures } from '@mmtok/core/testing/features';

/** A smooth map of 24 × 24 vision tokens, and eight text tokens. */
export function featuresOf(seed: number): { readonly vision: Float32Tensor; readonly text: Float32Tensor } {
  const map = { dim: 64, clusters: 6, noise: 0.3, common: 0.5 };
  return {
    vision: syntheticFeatures({ ...map, height: 24, width: 24, seed }),
    text: syntheticFeatures({ ...map, height: 1, width: 8, seed: seed + 1 }),
  };
}
