// Mistral 3 and LightOnOCR: Pixtral's encoder, images of any size, rows of tokens with a break token after each.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { unitsFromPixels } from './units.js';

const common = {
  status: 'pruned',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: unitsFromPixels,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'break tokens between rows stay',
} as const;

export const mistral3: ModelFamily = {
  ...common,
  name: 'Mistral 3',
  modelTypes: ['mistral3'],
  className: 'Mistral3ForConditionalGeneration',
  checkpoints: [{ id: 'mistralai/Ministral-3-3B-Instruct-2512-ONNX', size: '3.8 B' }],
};

export const lightOnOcr: ModelFamily = {
  ...common,
  name: 'LightOnOCR',
  modelTypes: ['lighton_ocr'],
  className: 'LightOnOcrForConditionalGeneration',
  checkpoints: [{ id: 'onnx-community/LightOnOCR-2-1B-ONNX', size: '1.0 B' }],
};
