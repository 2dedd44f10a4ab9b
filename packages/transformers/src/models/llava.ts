// LLaVA 1.5 and models of its form: CLIP or SigLIP, an MLP projector, one block of tokens per image.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { equalUnits } from './units.js';

export const llava: ModelFamily = {
  status: 'pruned',
  name: 'LLaVA',
  modelTypes: ['llava'],
  className: 'LlavaForConditionalGeneration',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'one block of tokens per image; padding of square-padded images can be excluded',
  checkpoints: [{ id: 'Xenova/nanoLLaVA', size: '1.0 B' }],
};
