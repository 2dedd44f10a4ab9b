// FastVLM (LlavaQwen2): a convolutional encoder with few tokens per image, and an MLP projector.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { equalUnits } from './units.js';

export const llavaQwen2: ModelFamily = {
  status: 'pruned',
  name: 'FastVLM',
  modelTypes: ['llava_qwen2'],
  className: 'LlavaQwen2ForCausalLM',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'one block of tokens per image',
  checkpoints: [{ id: 'onnx-community/FastVLM-0.5B-ONNX', size: '0.8 B' }],
};
