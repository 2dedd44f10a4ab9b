// PaliGemma and PaliGemma 2: SigLIP, a linear projector, images before the prompt, positions from 1.

import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';

export const paligemma: ModelFamily = {
  ...llavaGroup,
  name: 'PaliGemma',
  modelTypes: ['paligemma'],
  className: 'PaliGemmaForConditionalGeneration',
  firstPosition: 1,
  notes: 'all images stand before the text',
  checkpoints: [{ id: 'onnx-community/paligemma2-3b-pt-224', size: '3.0 B' }],
};
