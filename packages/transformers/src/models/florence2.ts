// Florence-2: an encoder-decoder; the encoder reads the vision tokens and then the task.

import { florence2Route } from '../hook/routes/florence2-route.js';
import type { ModelFamily } from './family.js';
import { equalUnits } from './units.js';

export const florence2: ModelFamily = {
  status: 'pruned',
  name: 'Florence-2',
  modelTypes: ['florence2'],
  className: 'Florence2ForConditionalGeneration',
  route: florence2Route,
  positions: 'encoder',
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
  notes:
    'the text is the task prompt; boxes and regions are read from fewer tokens, so expect them to be coarser',
  checkpoints: [
    { id: 'onnx-community/Florence-2-base-ft', size: '0.23 B' },
    { id: 'onnx-community/Florence-2-large-ft', size: '0.77 B' },
  ],
};
