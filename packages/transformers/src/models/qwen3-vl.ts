// Qwen3-VL and its mixture of experts. DeepStack features do not exist in transformers.js.

import type { ModelFamily } from './family.js';
import { qwenGroup } from './groups.js';

export const qwen3Vl: ModelFamily = {
  ...qwenGroup,
  name: 'Qwen3-VL',
  modelTypes: ['qwen3_vl', 'qwen3_vl_moe'],
  className: {
    qwen3_vl: 'Qwen3VLForConditionalGeneration',
    qwen3_vl_moe: 'Qwen3VLMoeForConditionalGeneration',
  },
  notes:
    'kept tokens keep their place on all three axes; several images come as one grid (transformers.js); DeepStack features do not exist in transformers.js',
  checkpoints: [{ id: 'onnx-community/Qwen3-VL-2B-Instruct-ONNX', size: '2.1 B' }],
};
