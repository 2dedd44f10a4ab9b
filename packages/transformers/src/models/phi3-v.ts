// Phi-3 and Phi-3.5 Vision: crops of an image as one block of tokens, marked by negative ids.

import { phi3vRoute } from '../hook/routes/phi3v-route.js';
import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';
import { negativeIds } from './placeholders.js';
import { unitsFromImageSizes } from './units.js';

export const phi3V: ModelFamily = {
  ...llavaGroup,
  name: 'Phi-3 Vision',
  modelTypes: ['phi3_v'],
  className: 'Phi3VForCausalLM',
  route: phi3vRoute,
  isPlaceholder: negativeIds,
  units: unitsFromImageSizes,
  notes: 'the crops of an image share its budget',
  checkpoints: [{ id: 'onnx-community/Phi-3.5-vision-instruct', size: '4.1 B' }],
};
