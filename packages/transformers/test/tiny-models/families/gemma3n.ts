// Gemma 3n: the token embedding also gives an embedding per layer, and an audio encoder is always loaded.
import { Gemma3nForConditionalGeneration } from '@huggingface/transformers';
import { AUDIO_FEATURES, audioEncoder } from '../audio-encoder.js';
import { VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { textFirst } from '../processing.js';
import { imageTextSessions } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { rmsNorm } from '../vision/norm.js';
import { linearProjector } from '../vision/projector.js';
import {
  SIGLIP_PREPROCESSOR,
  SQUARE_GRID,
  SQUARE_IMAGE,
  SQUARE_PATCHES,
  squareFeatures,
} from '../vision/square-image.js';

const AUDIO_TOKENS = 4;

export const gemma3n: Family = {
  name: 'gemma3n',
  modelClass: Gemma3nForConditionalGeneration,
  imageToken: '<image_soft_token>',
  specialTokens: [
    '<image_soft_token>',
    '<start_of_image>',
    '<end_of_image>',
    '<audio_soft_token>',
    '<start_of_audio>',
    '<end_of_audio>',
  ],
  imageSize: SQUARE_IMAGE,
  tokensPerImage: SQUARE_PATCHES,
  grid: { rows: SQUARE_GRID, columns: SQUARE_GRID },
  visionFeatureSize: VISION_HIDDEN,
  severalImages: true,
  config: (id) => ({
    image_token_id: id('<image_soft_token>'),
    audio_token_id: id('<audio_soft_token>'),
    text_config: { model_type: 'gemma3n_text', ...TEXT_CONFIG },
    vision_config: { model_type: 'gemma3n_vision', hidden_size: VISION_HIDDEN },
    audio_config: { model_type: 'gemma3n_audio' },
  }),
  tokenizerConfig: {
    image_token: '<image_soft_token>',
    boi_token: '<start_of_image>',
    eoi_token: '<end_of_image>',
    audio_token: '<audio_soft_token>',
    boa_token: '<start_of_audio>',
    eoa_token: '<end_of_audio>',
  },
  chatTemplate: chatTemplate('<image_soft_token>'),
  chatTemplateIn: 'chat_template.jinja',
  preprocessor: {
    ...SIGLIP_PREPROCESSOR,
    feature_extractor_type: 'Gemma3nAudioFeatureExtractor',
    processor_class: 'Gemma3nProcessor',
    ...AUDIO_FEATURES,
  },
  processor: {
    processor_class: 'Gemma3nProcessor',
    image_seq_length: SQUARE_PATCHES,
    audio_seq_length: AUDIO_TOKENS,
  },
  sessions(build) {
    audioEncoder(build.graph('audio_encoder'));
    return imageTextSessions(
      build,
      (g) => {
        const features = rmsNorm(g, squareFeatures(g), '/embed_vision/soft_embedding_norm', VISION_HIDDEN);
        return { features, projected: linearProjector(g, features, VISION_HIDDEN) };
      },
      { perLayerInputs: true },
    );
  },
  process: textFirst,
};
