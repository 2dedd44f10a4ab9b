// LLaVA-OneVision as transformers.js runs it: one block of tokens per image, without tiles.

import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';

export const llavaOnevision: ModelFamily = {
  ...llavaGroup,
  name: 'LLaVA-OneVision',
  modelTypes: ['llava_onevision'],
  className: 'LlavaOnevisionForConditionalGeneration',
  notes: 'transformers.js has no processor for it: repeat `<image>` once per vision token in the prompt',
  checkpoints: [{ id: 'llava-hf/llava-onevision-qwen2-0.5b-ov-hf', size: '0.9 B' }],
};
