// GLM-OCR: as the Qwen group, with positions of its own making.

import type { ModelFamily } from './family.js';
import { qwenGroup } from './groups.js';

export const glmOcr: ModelFamily = {
  ...qwenGroup,
  name: 'GLM-OCR',
  modelTypes: ['glm_ocr'],
  className: 'GlmOcrForConditionalGeneration',
  textTemperature: 0.02,
  notes: 'kept tokens keep their place on all three axes',
  checkpoints: [{ id: 'onnx-community/GLM-OCR-ONNX', size: '1.1 B' }],
};
