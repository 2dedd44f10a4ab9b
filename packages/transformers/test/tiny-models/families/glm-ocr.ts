// GLM-OCR: like the Qwen families, but with its own tokens and its own rule for positions.
import { GlmOcrForConditionalGeneration } from '@huggingface/transformers';
import { VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { imageTextSessions } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { gridVision } from '../vision/grid-patches.js';
import { MERGE } from '../vision/merge-patches.js';
import { GRID_PREPROCESSOR, qwen2_5Vl } from './qwen2-5-vl.js';

export const glmOcr: Family = {
  ...qwen2_5Vl,
  visionFeaturesInOrder: true,
  name: 'glm_ocr',
  modelClass: GlmOcrForConditionalGeneration,
  imageToken: '<|image|>',
  specialTokens: ['<|image|>', '<|begin_of_image|>', '<|end_of_image|>'],
  config: (id) => ({
    image_token_id: id('<|image|>'),
    image_start_token_id: id('<|begin_of_image|>'),
    image_end_token_id: id('<|end_of_image|>'),
    text_config: { model_type: 'glm_ocr_text', ...TEXT_CONFIG },
    vision_config: { model_type: 'glm_ocr_vision', hidden_size: VISION_HIDDEN, spatial_merge_size: MERGE },
  }),
  chatTemplate: chatTemplate('<|begin_of_image|><|image|><|end_of_image|>'),
  preprocessor: {
    ...GRID_PREPROCESSOR,
    image_processor_type: 'Glm46VImageProcessor',
    processor_class: 'Glm46VProcessor',
  },
  sessions: (build) => imageTextSessions(build, (g) => gridVision(g, { gridInput: 'image_grid_thw' })),
};
