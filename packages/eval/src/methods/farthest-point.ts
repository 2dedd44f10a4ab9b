// Farthest-point sampling: the classical max-min search, begun at the token least like the others.

import { defineMethod } from './define-method.js';
import { maxMin } from './max-min.js';
import type { Method } from './method.js';
import { argMax } from './ranking.js';
import { cosineMatrix, rowMeans } from './similarities.js';

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
