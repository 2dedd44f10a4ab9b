// Moondream 1: SigLIP, an MLP projector, one block of tokens per image.

import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';

export const moondream1: ModelFamily = {
  ...llavaGroup,
  name: 'Moondream 1',
  modelTypes: ['moondream1'],
  className: 'Moondream1ForConditionalGeneration',
  notes: 'one block of tokens per image',
  checkpoints: [{ id: 'Xenova/moondream2', size: '1.9 B' }],
};
