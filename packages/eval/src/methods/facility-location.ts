// Plain facility location: every token wants a kept token with a high cosine. MMTok's vision coverage without softmax.

import { greedyCover } from './cover.js';
import { defineMethod } from './define-method.js';
import type { Method } from './method.js';
import { cosineMatrix } from './similarities.js';

/** Greedy facility location over the cosines of the features before the projector, as FLoC does within one block. */
export const facilityLocation: Method = defineMethod({
  name: 'facility-location',
  title: 'Facility location',
  source: 'https://arxiv.org/abs/2511.00141',
  select: async ({ visionFeatures }, { tokens, backend }) =>
    greedyCover(await cosineMatrix(backend, visionFeatures, visionFeatures), tokens),
});
