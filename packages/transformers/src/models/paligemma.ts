// PaliGemma and PaliGemma 2: SigLIP, a linear projector, images before the prompt, positions from 1.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { equalUnits } from './units.js';

export const paligemma: ModelFamily = {
  status: 'pruned',
  name: 'PaliGemma',
  modelTypes: ['paligemma'],
  className: 'PaliGemmaForConditionalGeneration',
  route: embeddingsRoute,
  positions: '1d',
  firstPosition: 1,
  isPlaceholder: imageTokenId,
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'all images stand before the text',
  checkpoints: [{ id: 'onnx-community/paligemma2-3b-pt-224', size: '3.0 B' }],
};
