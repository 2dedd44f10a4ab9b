// Max-min diversity: DivPrune and farthest-point sampling pick tokens that are far from all picks so far.

import { argMax, maxMin } from './greedy.js';
import { cosineMatrix, rowMeans } from './matrices.js';
import { defineMethod, type Method } from './method.js';

/** Max-min diversity of the projected tokens (CVPR 2025). Unlike the official loop, never picks a token twice. */
export const divprune: Method = defineMethod({
  name: 'divprune',
  title: 'DivPrune',
  source: 'https://github.com/vbdi/divprune',
  select: async ({ vision }, { tokens, backend }) =>
    maxMin(await cosineMatrix(backend, vision, vision), tokens),
});

// Farthest-point sampling: classical max-min search, starting from the token least similar to the others.

/** Max-min search over the features before the projector, starting from the token with the lowest mean cosine. */
export const farthestPoint: Method = defineMethod({
  name: 'farthest-point',
  title: 'Farthest point',
  source: 'https://doi.org/10.1016/0304-3975(85)90224-5',
  async select({ visionFeatures }, { tokens, backend }) {
    const cosines = await cosineMatrix(backend, visionFeatures, visionFeatures);
    return maxMin(cosines, tokens, { first: argMax(rowMeans(cosines).map((mean) => -mean)) });
  },
});
