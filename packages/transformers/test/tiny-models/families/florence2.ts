// Florence-2: an encoder-decoder. Features precede the text, and the first one is an average of the image.
import { Florence2ForConditionalGeneration } from '@huggingface/transformers';
import { embedTokens } from '../decoder/embed-tokens.js';
import { crossDecoder, encoder } from '../decoder/seq2seq.js';
import { HEADS, HIDDEN, LAYERS, VISION_HIDDEN, VOCABULARY } from '../dimensions.js';
import type { Family } from '../family.js';
import { concat, layerNorm } from '../graph/operators.js';
import { imagesFirst } from '../processing.js';
import { chatTemplate } from '../text/chat-template.js';
import { imageFeatures } from '../vision/image-features.js';
import { linearProjector } from '../vision/projector.js';
import { CLIP_PREPROCESSOR, SQUARE_IMAGE, SQUARE_PATCHES, squareFeatures } from '../vision/square-image.js';

export const florence2: Family = {
  name: 'florence2',
  modelClass: Florence2ForConditionalGeneration,
  // In the vocabulary only: the prompt has no placeholders.
  imageToken: '<image>',
  specialTokens: ['<image>'],
  imageSize: SQUARE_IMAGE,
  tokensPerImage: 1 + SQUARE_PATCHES,
  visionFeatureSize: VISION_HIDDEN,
  // Images are a batch and precede the text.
  severalImages: false,
  positions: 'internal',
  config: () => ({
    is_encoder_decoder: true,
    vision_config: { model_type: 'davit' },
    text_config: {
      model_type: 'florence2_language',
      is_encoder_decoder: true,
      d_model: HIDDEN,
      vocab_size: VOCABULARY,
      encoder_layers: LAYERS,
      encoder_attention_heads: HEADS,
      decoder_layers: LAYERS,
      decoder_attention_heads: HEADS,
    },
  }),
  chatTemplate: chatTemplate(''),
  preprocessor: { ...CLIP_PREPROCESSOR, processor_class: 'Florence2Processor' },
  sessions(build) {
    const g = build.graph('vision_encoder');
    const patches = squareFeatures(g);
    const average = g.op('ReduceMean', [patches], { axes: { ints: [1] }, keepdims: { int: 1 } });
    const features = concat(g, [average, patches], 1);
    const projected = layerNorm(g, linearProjector(g, features, VISION_HIDDEN), '/image_proj_norm', HIDDEN);
    imageFeatures(g, { features, projected }, build.vision);
    embedTokens(build.graph('embed_tokens'));
    encoder(build.graph('encoder_model'));
    crossDecoder(build.graph('decoder_model_merged'));
    return { visionFeatures: features };
  },
  process: imagesFirst,
  visualSlots: (_, tokensPerImage) => Array.from({ length: tokensPerImage }, (_, slot) => slot),
};
