// LightOnOCR: Pixtral images of any size, with a break token after each row.

import type { ModelFamily } from './family.js';
import { pixtralGroup } from './groups.js';

export const lightOnOcr: ModelFamily = {
  ...pixtralGroup,
  name: 'LightOnOCR',
  modelTypes: ['lighton_ocr'],
  className: 'LightOnOcrForConditionalGeneration',
  notes: 'break tokens between rows stay',
  checkpoints: [{ id: 'onnx-community/LightOnOCR-2-1B-ONNX', size: '1.0 B' }],
};
