// LLaVA 1.5 and models of its form: CLIP or SigLIP, an MLP projector, one block of tokens per image.

import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';

export const llava: ModelFamily = {
  ...llavaGroup,
  name: 'LLaVA',
  modelTypes: ['llava'],
  className: 'LlavaForConditionalGeneration',
  notes: 'one block of tokens per image; padding of square-padded images can be excluded',
  checkpoints: [{ id: 'Xenova/nanoLLaVA', size: '1.0 B' }],
};
