// Qwen2-VL and its successors, and GLM-OCR: native resolution, 2 × 2 patches merged to a token, positions on three axes.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { unitsFromGrids } from './units.js';

const common = {
  status: 'pruned',
  route: embeddingsRoute,
  positions: 'mrope',
  isPlaceholder: imageTokenId,
  units: unitsFromGrids,
  textTemperature: 0.01,
  tap: 'projector',
} as const;

const notes =
  'kept tokens keep their place on all three axes; several images come as one grid (transformers.js)';

export const qwen2Vl: ModelFamily = {
  ...common,
  name: 'Qwen2-VL',
  modelTypes: ['qwen2_vl'],
  className: 'Qwen2VLForConditionalGeneration',
  notes,
  checkpoints: [{ id: 'onnx-community/Qwen2-VL-2B-Instruct', size: '2.2 B' }],
};

export const qwen25Vl: ModelFamily = {
  ...common,
  name: 'Qwen2.5-VL',
  modelTypes: ['qwen2_5_vl'],
  className: 'Qwen2_5_VLForConditionalGeneration',
  notes: `${notes}; features before the merger stand in window order and are put back into image order`,
  checkpoints: [{ id: 'onnx-community/Qwen2.5-VL-3B-Instruct-ONNX', size: '3.8 B' }],
};

export const qwen3Vl: ModelFamily = {
  ...common,
  name: 'Qwen3-VL',
  modelTypes: ['qwen3_vl', 'qwen3_vl_moe'],
  className: {
    qwen3_vl: 'Qwen3VLForConditionalGeneration',
    qwen3_vl_moe: 'Qwen3VLMoeForConditionalGeneration',
  },
  notes: `${notes}; DeepStack features do not exist in transformers.js`,
  checkpoints: [{ id: 'onnx-community/Qwen3-VL-2B-Instruct-ONNX', size: '2.1 B' }],
};

export const qwen35: ModelFamily = {
  ...common,
  name: 'Qwen3.5',
  modelTypes: ['qwen3_5', 'qwen3_5_moe'],
  className: {
    qwen3_5: 'Qwen3_5ForConditionalGeneration',
    qwen3_5_moe: 'Qwen3_5MoeForConditionalGeneration',
  },
  notes: `${notes}; linear-attention layers see the kept tokens in order`,
  checkpoints: [{ id: 'onnx-community/Qwen3.5-0.8B-ONNX', size: '0.9 B' }],
};

export const glmOcr: ModelFamily = {
  ...common,
  name: 'GLM-OCR',
  modelTypes: ['glm_ocr'],
  className: 'GlmOcrForConditionalGeneration',
  textTemperature: 0.02,
  notes: 'kept tokens keep their place on all three axes',
  checkpoints: [{ id: 'onnx-community/GLM-OCR-ONNX', size: '1.1 B' }],
};
