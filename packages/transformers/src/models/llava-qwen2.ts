// FastVLM (LlavaQwen2): a convolutional encoder with few tokens per image, and an MLP projector.

import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';

export const llavaQwen2: ModelFamily = {
  ...llavaGroup,
  name: 'FastVLM',
  modelTypes: ['llava_qwen2'],
  className: 'LlavaQwen2ForCausalLM',
  notes: 'one block of tokens per image',
  checkpoints: [{ id: 'onnx-community/FastVLM-0.5B-ONNX', size: '0.8 B' }],
};
