// Phi-3 and Phi-3.5 Vision: crops of an image as one block of tokens, marked by negative ids.

import { phi3vRoute } from '../hook/routes/phi3v-route.js';
import type { ModelFamily } from './family.js';
import { negativeIds } from './placeholders.js';
import { unitsFromImageSizes } from './units.js';

export const phi3V: ModelFamily = {
  status: 'pruned',
  name: 'Phi-3 Vision',
  modelTypes: ['phi3_v'],
  className: 'Phi3VForCausalLM',
  route: phi3vRoute,
  positions: '1d',
  isPlaceholder: negativeIds,
  units: unitsFromImageSizes,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'the crops of an image share its budget',
  checkpoints: [{ id: 'onnx-community/Phi-3.5-vision-instruct', size: '4.1 B' }],
};
