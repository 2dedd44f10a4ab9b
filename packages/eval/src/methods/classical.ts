// Classical searches over features: facility location and farthest-point sampling.

import { argMax, greedyCover, maxMin } from './greedy.js';
import { cosineMatrix, rowMeans } from './matrices.js';
import { defineMethod, type Method } from './method.js';

// Plain facility location: every token should have a kept token with a high cosine. MMTok's vision coverage without softmax.

/** Greedy facility location over cosines of the features before the projector, as in FLoC within one block. */
export const facilityLocation: Method = defineMethod({
  name: 'facility-location',
  title: 'Facility location',
  source: 'https://arxiv.org/abs/2511.00141',
  select: async ({ visionFeatures }, { tokens, backend }) =>
    greedyCover(await cosineMatrix(backend, visionFeatures, visionFeatures), tokens),
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
