// Classical searches over features: facility location and farthest-point sampling.

import { argMax, greedyCover, maxMin } from './greedy.js';
import { cosineMatrix, rowMeans } from './matrices.js';
import { defineMethod, type Method } from './method.js';

// Plain facility location: every token wants a kept token with a high cosine. MMTok's vision coverage without softmax.

/** Greedy facility location over the cosines of the features before the projector, as FLoC does within one block. */
export const facilityLocation: Method = defineMethod({
  name: 'facility-location',
  title: 'Facility location',
  source: 'https://arxiv.org/abs/2511.00141',
  select: async ({ visionFeatures }, { tokens, backend }) =>
    greedyCover(await cosineMatrix(backend, visionFeatures, visionFeatures), tokens),
});

// Farthest-point sampling: the classical max-min search, begun at the token least like the others.

/** Max-min search over the features before the projector, begun at the token with the lowest mean cosine to all. */
export const farthestPoint: Method = defineMethod({
  name: 'farthest-point',
  title: 'Farthest point',
  source: 'https://doi.org/10.1016/0304-3975(85)90224-5',
  async select({ visionFeatures }, { tokens, backend }) {
    const cosines = await cosineMatrix(backend, visionFeatures, visionFeatures);
    return maxMin(cosines, tokens, { first: argMax(rowMeans(cosines).map((mean) => -mean)) });
  },
});
