// SmolVLM: tiles and an overview, each between tokens that give its position.
import { SmolVLMForConditionalGeneration } from '@huggingface/transformers';
import { VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { textFirst } from '../processing.js';
import { imageTextSessions } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { NORMALIZATION } from '../vision/square-image.js';
import { TILE, TILE_FEATURE_SIZE, TOKENS_PER_TILE, tileVision } from '../vision/tiles.js';

/** Tiles along an edge of the largest image. */
const GRID = 3;
const SIDE = 2 * TILE;

export const smolvlm: Family = {
  name: 'smolvlm',
  modelClass: SmolVLMForConditionalGeneration,
  imageToken: '<image>',
  specialTokens: [
    '<image>',
    '<fake_token_around_image>',
    '<global-img>',
    ...Array.from({ length: GRID ** 2 }, (_, i) => `<row_${Math.floor(i / GRID) + 1}_col_${(i % GRID) + 1}>`),
  ],
  imageSize: { width: SIDE, height: SIDE },
  // Four tiles and the overview.
  tokensPerImage: 5 * TOKENS_PER_TILE,
  visionFeatureSize: TILE_FEATURE_SIZE,
  severalImages: true,
  config: (id) => ({
    image_token_id: id('<image>'),
    scale_factor: 2,
    text_config: { model_type: 'llama', ...TEXT_CONFIG },
    vision_config: { model_type: 'smolvlm_vision', hidden_size: VISION_HIDDEN },
  }),
  chatTemplate: chatTemplate('<image>'),
  preprocessor: {
    image_processor_type: 'SmolVLMImageProcessor',
    processor_class: 'SmolVLMProcessor',
    do_resize: true,
    size: { longest_edge: SIDE },
    max_image_size: { longest_edge: TILE },
    do_image_splitting: true,
    ...NORMALIZATION,
  },
  processor: { processor_class: 'SmolVLMProcessor', image_seq_len: TOKENS_PER_TILE },
  sessions: (build) => imageTextSessions(build, tileVision),
  process: textFirst,
};
