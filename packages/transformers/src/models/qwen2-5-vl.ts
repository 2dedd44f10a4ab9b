// Qwen2.5-VL: its encoder works in windows, so that features before the merger are in another order than the tokens.

import type { ModelFamily } from './family.js';
import { qwenGroup } from './groups.js';

export const qwen25Vl: ModelFamily = {
  ...qwenGroup,
  name: 'Qwen2.5-VL',
  modelTypes: ['qwen2_5_vl'],
  className: 'Qwen2_5_VLForConditionalGeneration',
  notes:
    "kept tokens keep their place on all three axes; several images come as one grid (transformers.js); features before the merger stand in window order and are put back into image order; one dimension drowns all others, so set `standardise: 'auto'`",
  checkpoints: [{ id: 'onnx-community/Qwen2.5-VL-3B-Instruct-ONNX', size: '3.8 B' }],
};
