// Qwen3-VL, dense and with experts: to transformers.js both are Qwen2.5-VL under other names (no DeepStack).
import {
  Qwen3VLForConditionalGeneration,
  Qwen3VLMoeForConditionalGeneration,
} from '@huggingface/transformers';
import type { Family } from '../family.js';
import { imageTextSessions } from '../sessions.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { gridVision } from '../vision/grid-patches.js';
import { GRID_PREPROCESSOR, qwen2_5Vl } from './qwen2-5-vl.js';

export const qwen3Vl: Family = {
  ...qwen2_5Vl,
  visionFeaturesInOrder: true,
  name: 'qwen3_vl',
  modelClass: Qwen3VLForConditionalGeneration,
  config: (id) => ({
    ...qwen2_5Vl.config(id),
    text_config: { model_type: 'qwen3_vl_text', ...TEXT_CONFIG },
  }),
  preprocessor: { ...GRID_PREPROCESSOR, processor_class: 'Qwen3VLProcessor' },
  sessions: (build) =>
    imageTextSessions(build, (g) => gridVision(g, { gridInput: 'image_grid_thw' }), {
      numLogitsToKeep: true,
    }),
};

export const qwen3VlMoe: Family = {
  ...qwen3Vl,
  name: 'qwen3_vl_moe',
  modelClass: Qwen3VLMoeForConditionalGeneration,
  config: (id) => ({
    ...qwen2_5Vl.config(id),
    text_config: { model_type: 'qwen3_vl_moe_text', ...TEXT_CONFIG },
  }),
};
