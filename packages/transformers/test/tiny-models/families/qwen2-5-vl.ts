// Qwen2.5-VL: positions on three axes, images of any shape, and an encoder with windowed attention.
import { Qwen2_5_VLForConditionalGeneration } from '@huggingface/transformers';
import { PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { Family, Json } from '../family.js';
import { textFirst } from '../processing.js';
import { imageTextSessions } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { FRAMES, gridVision, MERGED_SIZE } from '../vision/grid-patches.js';
import { MERGE } from '../vision/merge-patches.js';
import { NORMALIZATION } from '../vision/square-image.js';

const [COLUMNS, ROWS] = [4, 3];
const BLOCK = PATCH * MERGE;
const WIDTH = COLUMNS * BLOCK;

/** Preprocessing to a grid of patches, within a number of pixels. */
export const GRID_PREPROCESSOR: Json = {
  image_processor_type: 'Qwen2VLImageProcessor',
  do_resize: true,
  patch_size: PATCH,
  temporal_patch_size: FRAMES,
  merge_size: MERGE,
  min_pixels: BLOCK ** 2,
  max_pixels: FRAMES * WIDTH ** 2,
  ...NORMALIZATION,
};

export const qwen2_5Vl: Family = {
  name: 'qwen2_5_vl',
  modelClass: Qwen2_5_VLForConditionalGeneration,
  imageToken: '<|image_pad|>',
  specialTokens: ['<|image_pad|>', '<|vision_start|>', '<|vision_end|>', '<|video_pad|>'],
  imageSize: { width: WIDTH, height: ROWS * BLOCK },
  tokensPerImage: COLUMNS * ROWS,
  grid: { rows: ROWS, columns: COLUMNS },
  visionFeatureSize: MERGED_SIZE,
  visionFeaturesInOrder: false,
  // The image processor takes two images for two frames of one video.
  severalImages: false,
  positions: 'mrope',
  config: (id) => ({
    image_token_id: id('<|image_pad|>'),
    video_token_id: id('<|video_pad|>'),
    vision_start_token_id: id('<|vision_start|>'),
    vision_end_token_id: id('<|vision_end|>'),
    text_config: { model_type: 'qwen2_5_vl_text', ...TEXT_CONFIG },
    vision_config: { model_type: 'qwen2_5_vl', hidden_size: VISION_HIDDEN, spatial_merge_size: MERGE },
  }),
  chatTemplate: chatTemplate('<|vision_start|><|image_pad|><|vision_end|>'),
  preprocessor: { ...GRID_PREPROCESSOR, processor_class: 'Qwen2_5_VLProcessor' },
  sessions: (build) =>
    imageTextSessions(build, (g) => gridVision(g, { gridInput: 'image_grid_thw', windows: true })),
  process: textFirst,
};
