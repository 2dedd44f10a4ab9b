// Qwen2-VL.

import type { ModelFamily } from './family.js';
import { qwenGroup } from './groups.js';

export const qwen2Vl: ModelFamily = {
  ...qwenGroup,
  name: 'Qwen2-VL',
  modelTypes: ['qwen2_vl'],
  className: 'Qwen2VLForConditionalGeneration',
  notes: 'kept tokens keep their place on all three axes; several images come as one grid (transformers.js)',
  checkpoints: [{ id: 'onnx-community/Qwen2-VL-2B-Instruct', size: '2.2 B' }],
};
