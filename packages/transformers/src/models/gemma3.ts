// Gemma 3: SigLIP pooled to 256 tokens per image, positions from 1.

import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';

export const gemma3: ModelFamily = {
  ...llavaGroup,
  name: 'Gemma 3',
  modelTypes: ['gemma3'],
  className: 'Gemma3ForConditionalGeneration',
  firstPosition: 1,
  notes: 'one block of 256 pooled tokens per image between markers that stay',
  checkpoints: [{ id: 'onnx-community/gemma-3-4b-it-ONNX', size: '4.3 B' }],
};
