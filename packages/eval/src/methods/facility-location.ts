// Facility location and SCOPE: every token should resemble a kept token.

import { Cover } from './cover.js';
import { cosineMatrix, type Matrix } from './matrices.js';
import { defineMethod, type Method } from './method.js';

/** Greedy facility location over cosines of the features before the projector, as in FLoC within one block. */
export const facilityLocation: Method = defineMethod({
  name: 'facility-location',
  title: 'Facility location',
  source: 'https://arxiv.org/abs/2511.00141',
  select: async ({ visionFeatures }, { tokens, backend }) =>
    greedyCover(await cosineMatrix(backend, visionFeatures, visionFeatures), tokens),
});

// SCOPE: facility location whose gains are weighted by saliency.

/** NeurIPS 2025, with the official exponent 1 on the saliency. */
export const scope: Method = defineMethod({
  name: 'scope',
  title: 'SCOPE',
  source: 'https://github.com/kinredon/SCOPE',
  needs: ['saliency'],
  select: async ({ visionFeatures, saliency }, { tokens, backend }) =>
    greedyCover(await cosineMatrix(backend, visionFeatures, visionFeatures), tokens, saliency),
});

/** Picks k tokens (columns) greedily, so that every token (row) has a high cosine to a pick. Negative cosines count as 0. */
function greedyCover(cosines: Matrix, k: number, weights?: ArrayLike<number>): number[] {
  const cover = new Cover(cosines, weights && { weights });
  return Array.from({ length: k }, () => {
    const token = cover.best();
    cover.commit(token);
    return token;
  });
}
