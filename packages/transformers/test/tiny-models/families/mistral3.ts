// Mistral 3 (Pixtral vision): a token ends each row of the image, and images keep their aspect ratio.
import { Mistral3ForConditionalGeneration } from '@huggingface/transformers';
import { PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { imagesFirst } from '../processing.js';
import { imageTextSessions } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { anySizeVision } from '../vision/any-size-image.js';
import { MERGE } from '../vision/merge-patches.js';
import { NORMALIZATION } from '../vision/square-image.js';

const [COLUMNS, ROWS] = [4, 3];
const BLOCK = PATCH * MERGE;

export const mistral3: Family = {
  name: 'mistral3',
  modelClass: Mistral3ForConditionalGeneration,
  imageToken: '[IMG]',
  specialTokens: ['[IMG]', '[IMG_BREAK]', '[IMG_END]'],
  imageSize: { width: COLUMNS * BLOCK, height: ROWS * BLOCK },
  tokensPerImage: COLUMNS * ROWS,
  grid: { rows: ROWS, columns: COLUMNS },
  visionFeatureSize: VISION_HIDDEN,
  // The processor expands the first placeholder only.
  severalImages: false,
  config: (id) => ({
    image_token_index: id('[IMG]'),
    spatial_merge_size: MERGE,
    text_config: { model_type: 'mistral', ...TEXT_CONFIG },
    vision_config: { model_type: 'pixtral', hidden_size: VISION_HIDDEN, patch_size: PATCH },
  }),
  chatTemplate: chatTemplate('[IMG]'),
  preprocessor: {
    image_processor_type: 'PixtralImageProcessor',
    processor_class: 'PixtralProcessor',
    do_resize: true,
    size: { longest_edge: COLUMNS * BLOCK },
    patch_size: PATCH,
    spatial_merge_size: MERGE,
    ...NORMALIZATION,
  },
  processor: {
    processor_class: 'PixtralProcessor',
    image_token: '[IMG]',
    image_break_token: '[IMG_BREAK]',
    image_end_token: '[IMG_END]',
    patch_size: PATCH,
    spatial_merge_size: MERGE,
  },
  sessions: (build) => imageTextSessions(build, anySizeVision),
  process: imagesFirst,
};
