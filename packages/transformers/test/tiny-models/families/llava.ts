// LLaVA: one image, one grid of patches, a two-layer projector. Other families are variations of it.
import { LlavaForConditionalGeneration } from '@huggingface/transformers';
import { PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { imagesFirst } from '../processing.js';
import { imageTextSessions } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import {
  CLIP_PREPROCESSOR,
  SQUARE_GRID,
  SQUARE_IMAGE,
  SQUARE_PATCHES,
  squareVision,
} from '../vision/square-image.js';

export const llava: Family = {
  name: 'llava',
  modelClass: LlavaForConditionalGeneration,
  imageToken: '<image>',
  specialTokens: ['<image>'],
  imageSize: SQUARE_IMAGE,
  tokensPerImage: SQUARE_PATCHES,
  grid: { rows: SQUARE_GRID, columns: SQUARE_GRID },
  visionFeatureSize: VISION_HIDDEN,
  // The processor expands the first placeholder only.
  severalImages: false,
  config: (id) => ({
    image_token_index: id('<image>'),
    text_config: { model_type: 'llama', ...TEXT_CONFIG },
    vision_config: { model_type: 'clip_vision_model', hidden_size: VISION_HIDDEN, patch_size: PATCH },
  }),
  chatTemplate: chatTemplate('<image>'),
  preprocessor: { ...CLIP_PREPROCESSOR, processor_class: 'LlavaProcessor' },
  processor: {
    processor_class: 'LlavaProcessor',
    image_token: '<image>',
    patch_size: PATCH,
    num_additional_image_tokens: 0,
  },
  sessions: (build) => imageTextSessions(build, squareVision),
  process: imagesFirst,
};
