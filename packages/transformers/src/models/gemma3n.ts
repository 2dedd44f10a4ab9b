// Gemma 3n: 256 tokens per image, and per-layer inputs beside the embeddings.

import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';

export const gemma3n: ModelFamily = {
  ...llavaGroup,
  name: 'Gemma 3n',
  modelTypes: ['gemma3n'],
  className: 'Gemma3nForConditionalGeneration',
  notes: 'per-layer inputs are shortened with the prompt; prompts with sounds are processed whole',
  checkpoints: [{ id: 'onnx-community/gemma-3n-E2B-it-ONNX', size: '5.4 B' }],
};
