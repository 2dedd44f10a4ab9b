// PaliGemma: a one-layer projector, placeholders before the start token, and positions that start at 1.
import { PaliGemmaForConditionalGeneration } from '@huggingface/transformers';
import { VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { imagesFirst } from '../processing.js';
import { imageTextSessions } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { linearProjector } from '../vision/projector.js';
import {
  SIGLIP_PREPROCESSOR,
  SQUARE_GRID,
  SQUARE_IMAGE,
  SQUARE_PATCHES,
  squareFeatures,
} from '../vision/square-image.js';

export const paligemma: Family = {
  name: 'paligemma',
  modelClass: PaliGemmaForConditionalGeneration,
  imageToken: '<image>',
  specialTokens: ['<image>'],
  imageSize: SQUARE_IMAGE,
  tokensPerImage: SQUARE_PATCHES,
  grid: { rows: SQUARE_GRID, columns: SQUARE_GRID },
  visionFeatureSize: VISION_HIDDEN,
  severalImages: true,
  config: (id) => ({
    image_token_index: id('<image>'),
    text_config: { model_type: 'gemma', ...TEXT_CONFIG },
    vision_config: { model_type: 'siglip_vision_model', hidden_size: VISION_HIDDEN },
  }),
  chatTemplate: chatTemplate('<image>'),
  preprocessor: {
    ...SIGLIP_PREPROCESSOR,
    image_seq_length: SQUARE_PATCHES,
    processor_class: 'PaliGemmaProcessor',
  },
  sessions: (build) =>
    imageTextSessions(build, (g) => {
      const features = squareFeatures(g);
      return { features, projected: linearProjector(g, features, VISION_HIDDEN, { bias: true }) };
    }),
  process: imagesFirst,
};
