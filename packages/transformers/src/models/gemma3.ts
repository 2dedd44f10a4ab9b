// Gemma 3: SigLIP pooled to 256 tokens per image, positions from 1.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { equalUnits } from './units.js';

export const gemma3: ModelFamily = {
  status: 'pruned',
  name: 'Gemma 3',
  modelTypes: ['gemma3'],
  className: 'Gemma3ForConditionalGeneration',
  route: embeddingsRoute,
  positions: '1d',
  firstPosition: 1,
  isPlaceholder: imageTokenId,
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'one block of 256 pooled tokens per image between markers that stay',
  checkpoints: [{ id: 'onnx-community/gemma-3-4b-it-ONNX', size: '4.3 B' }],
};
