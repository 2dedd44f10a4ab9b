// Gemma 4: as Gemma 3n, with images of varying size.

import type { ModelFamily } from './family.js';
import { runsGroup } from './groups.js';

export const gemma4: ModelFamily = {
  ...runsGroup,
  name: 'Gemma 4',
  modelTypes: ['gemma4'],
  className: 'Gemma4ForConditionalGeneration',
  notes: 'as Gemma 3n, with images of varying size',
  checkpoints: [{ id: 'onnx-community/gemma-4-E2B-it-ONNX', size: '5.1 B' }],
};
