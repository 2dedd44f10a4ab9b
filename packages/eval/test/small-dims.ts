// Dimensions of models small enough to build in a test.

import type { ModelDims } from '../src/speed/dims.js';

/** Without an encoder. */
export const dims: ModelDims = {
  title: 'Small',
  hidden: 64,
  layers: 3,
  heads: 4,
  keyValueHeads: 2,
  headDim: 16,
  intermediate: 96,
  vocabulary: 50,
  attentionBias: true,
  visionTokens: 40,
  visionWidth: 24,
  keep: ['25%', '4'],
};

/** Five tiles of 4 × 4 patches, of which four make a token; every second layer attends within windows. */
export const tiled: ModelDims = {
  ...dims,
  visionTokens: 20,
  visionWidth: 64,
  encoder: {
    title: 'Tower',
    hidden: 16,
    layers: 4,
    heads: 2,
    intermediate: 24,
    gated: true,
    patchValues: 12,
    grid: [4, 4],
    tiles: 5,
    classToken: false,
    merge: 2,
    projector: [32],
    window: { side: 2, fullEvery: 2 },
  },
};
