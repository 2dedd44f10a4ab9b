// Families with the Qwen2-VL layout: native resolution, patches merged into tokens, three-axis positions.

import type { FamilyLayout, PrunedFamily } from './family.js';
import { tilesFromGrids } from './layout.js';
import { llavaLayout } from './llava.js';

const qwenLayout: FamilyLayout = {
  ...llavaLayout,
  positions: 'mrope',
  tiles: tilesFromGrids,
  textTemperature: 0.01,
  officialText: 'prefixed',
};

const NOTES =
  'kept tokens keep their positions on all three axes; transformers.js merges several images into one grid';

export const qwenFamilies: readonly PrunedFamily[] = [
  {
    ...qwenLayout,
    name: 'Qwen2-VL',
    modelTypes: ['qwen2_vl'],
    className: 'Qwen2VLForConditionalGeneration',
    notes: NOTES,
    checkpoints: [{ id: 'onnx-community/Qwen2-VL-2B-Instruct', size: '2.2 B' }],
  },
  {
    ...qwenLayout,
    name: 'Qwen2.5-VL',
    modelTypes: ['qwen2_5_vl'],
    className: 'Qwen2_5_VLForConditionalGeneration',
    notes: `${NOTES}; features before the merger are in window order and are put back into image order; one dimension dominates all others, so set \`standardize: 'auto'\``,
    checkpoints: [{ id: 'onnx-community/Qwen2.5-VL-3B-Instruct-ONNX', size: '3.8 B' }],
  },
  {
    ...qwenLayout,
    name: 'Qwen3-VL',
    modelTypes: ['qwen3_vl', 'qwen3_vl_moe'],
    className: {
      qwen3_vl: 'Qwen3VLForConditionalGeneration',
      qwen3_vl_moe: 'Qwen3VLMoeForConditionalGeneration',
    },
    notes: `${NOTES}; DeepStack features do not exist in transformers.js`,
    checkpoints: [{ id: 'onnx-community/Qwen3-VL-2B-Instruct-ONNX', size: '2.1 B' }],
  },
  {
    ...qwenLayout,
    name: 'Qwen3.5',
    modelTypes: ['qwen3_5', 'qwen3_5_moe'],
    className: {
      qwen3_5: 'Qwen3_5ForConditionalGeneration',
      qwen3_5_moe: 'Qwen3_5MoeForConditionalGeneration',
    },
    notes: `${NOTES}; linear-attention layers see the kept tokens in order`,
    checkpoints: [{ id: 'onnx-community/Qwen3.5-0.8B-ONNX', size: '0.9 B' }],
  },
  {
    ...qwenLayout,
    name: 'GLM-OCR',
    modelTypes: ['glm_ocr'],
    className: 'GlmOcrForConditionalGeneration',
    textTemperature: 0.02,
    officialText: 'keywords',
    notes: 'kept tokens keep their positions on all three axes',
    checkpoints: [{ id: 'onnx-community/GLM-OCR-ONNX', size: '1.1 B' }],
  },
];
