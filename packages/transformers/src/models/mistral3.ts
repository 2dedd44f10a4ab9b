// Mistral 3: Pixtral images of any size, with a break token after each row.

import type { ModelFamily } from './family.js';
import { pixtralGroup } from './groups.js';

export const mistral3: ModelFamily = {
  ...pixtralGroup,
  name: 'Mistral 3',
  modelTypes: ['mistral3'],
  className: 'Mistral3ForConditionalGeneration',
  notes: 'break tokens between rows stay',
  checkpoints: [{ id: 'mistralai/Ministral-3-3B-Instruct-2512-ONNX', size: '3.8 B' }],
};
