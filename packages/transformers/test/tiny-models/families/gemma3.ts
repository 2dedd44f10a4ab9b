// Gemma 3: patches are averaged to fewer tokens, normalized, and projected; positions start at 1; the template is a file.
import { Gemma3ForConditionalGeneration } from '@huggingface/transformers';
import { VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { reshape, transpose } from '../graph/operators.js';
import { textFirst } from '../processing.js';
import { imageTextSessions } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { rmsNorm } from '../vision/norm.js';
import { linearProjector } from '../vision/projector.js';
import { SIGLIP_PREPROCESSOR, SQUARE_GRID, SQUARE_IMAGE, squareFeatures } from '../vision/square-image.js';
import { gridTokens } from '../vision/tower.js';

/** Patches averaged along each axis. */
const POOL = 2;
const TOKENS = (SQUARE_GRID / POOL) ** 2;

export const gemma3: Family = {
  name: 'gemma3',
  modelClass: Gemma3ForConditionalGeneration,
  imageToken: '<image_soft_token>',
  specialTokens: ['<image_soft_token>', '<start_of_image>', '<end_of_image>'],
  imageSize: SQUARE_IMAGE,
  tokensPerImage: TOKENS,
  grid: { rows: SQUARE_GRID / POOL, columns: SQUARE_GRID / POOL },
  visionFeatureSize: VISION_HIDDEN,
  severalImages: true,
  config: (id) => ({
    image_token_index: id('<image_soft_token>'),
    boi_token_index: id('<start_of_image>'),
    eoi_token_index: id('<end_of_image>'),
    mm_tokens_per_image: TOKENS,
    text_config: { model_type: 'gemma3_text', ...TEXT_CONFIG },
    vision_config: { model_type: 'siglip_vision_model', hidden_size: VISION_HIDDEN },
  }),
  tokenizerConfig: {
    image_token: '<image_soft_token>',
    boi_token: '<start_of_image>',
    eoi_token: '<end_of_image>',
  },
  chatTemplate: chatTemplate('<start_of_image>'),
  chatTemplateIn: 'chat_template.jinja',
  preprocessor: {
    ...SIGLIP_PREPROCESSOR,
    image_processor_type: 'Gemma3ImageProcessor',
    processor_class: 'Gemma3Processor',
  },
  processor: { processor_class: 'Gemma3Processor', image_seq_length: TOKENS },
  sessions: (build) =>
    imageTextSessions(build, (g) => {
      const tokens = transpose(g, squareFeatures(g), [0, 2, 1]);
      const grid = reshape(g, tokens, [0, VISION_HIDDEN, SQUARE_GRID, SQUARE_GRID]);
      const window = { ints: [POOL, POOL] };
      const pooled = g.op('AveragePool', [grid], { kernel_shape: window, strides: window });
      const features = rmsNorm(
        g,
        gridTokens(g, pooled),
        '/multi_modal_projector/mm_soft_emb_norm',
        VISION_HIDDEN,
      );
      return { features, projected: linearProjector(g, features, VISION_HIDDEN) };
    }),
  process: textFirst,
};
