// Moondream 1: SigLIP, an MLP projector, one block of tokens per image.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { equalUnits } from './units.js';

export const moondream1: ModelFamily = {
  status: 'pruned',
  name: 'Moondream 1',
  modelTypes: ['moondream1'],
  className: 'Moondream1ForConditionalGeneration',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'one block of tokens per image',
  checkpoints: [{ id: 'Xenova/moondream2', size: '1.9 B' }],
};
