// Qwen3.5 and its mixture of experts: part of the layers is linear attention.

import type { ModelFamily } from './family.js';
import { qwenGroup } from './groups.js';

export const qwen35: ModelFamily = {
  ...qwenGroup,
  name: 'Qwen3.5',
  modelTypes: ['qwen3_5', 'qwen3_5_moe'],
  className: {
    qwen3_5: 'Qwen3_5ForConditionalGeneration',
    qwen3_5_moe: 'Qwen3_5MoeForConditionalGeneration',
  },
  notes:
    'kept tokens keep their place on all three axes; several images come as one grid (transformers.js); linear-attention layers see the kept tokens in order',
  checkpoints: [{ id: 'onnx-community/Qwen3.5-0.8B-ONNX', size: '0.9 B' }],
};
