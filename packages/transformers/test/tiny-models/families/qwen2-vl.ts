// Qwen2-VL: a flat config, no windows, and another name for the grid.
import { Qwen2VLForConditionalGeneration } from '@huggingface/transformers';
import type { Family } from '../family.js';
import { imageTextSessions } from '../sessions.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { gridVision } from '../vision/grid-patches.js';
import { GRID_PREPROCESSOR, qwen2_5Vl } from './qwen2-5-vl.js';

export const qwen2Vl: Family = {
  ...qwen2_5Vl,
  visionFeaturesInOrder: true,
  name: 'qwen2_vl',
  modelClass: Qwen2VLForConditionalGeneration,
  config(id) {
    const { text_config: _, ...config } = qwen2_5Vl.config(id);
    return { ...config, ...TEXT_CONFIG };
  },
  preprocessor: { ...GRID_PREPROCESSOR, processor_class: 'Qwen2VLProcessor' },
  sessions: (build) => imageTextSessions(build, (g) => gridVision(g, { gridInput: 'grid_thw' })),
};
