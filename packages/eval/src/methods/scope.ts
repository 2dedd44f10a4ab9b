// SCOPE: facility location whose gains are weighted by saliency.

import { greedyCover } from './greedy.js';
import { cosineMatrix } from './matrices.js';
import type { Method } from './method.js';
import { defineMethod } from './method.js';

/** NeurIPS 2025, with the official exponent 1 on the saliency. */
export const scope: Method = defineMethod({
  name: 'scope',
  title: 'SCOPE',
  source: 'https://github.com/kinredon/SCOPE',
  needs: ['saliency'],
  select: async ({ visionFeatures, saliency }, { tokens, backend }) =>
    greedyCover(await cosineMatrix(backend, visionFeatures, visionFeatures), tokens, saliency),
});
