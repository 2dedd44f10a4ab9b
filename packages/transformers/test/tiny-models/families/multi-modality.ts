// Janus (multi_modality): one graph encodes and merges images; the language model and its head are separate graphs.
import { MultiModalityCausalLM } from '@huggingface/transformers';
import { decoder, languageModelHead } from '../decoder/decoder.js';
import { embed } from '../decoder/embed-tokens.js';
import { CHANNELS, HIDDEN, VISION_HIDDEN } from '../dimensions.js';
import type { Build, Family } from '../family.js';
import type { Value } from '../graph/graph-builder.js';
import { length, linear, reshape, transpose } from '../graph/operators.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { markRows } from '../vision/image-features.js';
import { mlpProjector } from '../vision/projector.js';
import { scatterRows } from '../vision/scatter-rows.js';
import { NORMALIZATION, SIDE, SQUARE_GRID, SQUARE_IMAGE, SQUARE_PATCHES } from '../vision/square-image.js';
import { patchGrid, visionLayers } from '../vision/tower.js';

/** Codes of images that the model could generate. */
const PICTURE_CODES = 8;

export const multiModality: Family = {
  name: 'multi_modality',
  modelClass: MultiModalityCausalLM,
  imageToken: '<image_placeholder>',
  specialTokens: ['<image_placeholder>', '<begin_of_image>', '<end_of_image>'],
  imageSize: SQUARE_IMAGE,
  tokensPerImage: SQUARE_PATCHES,
  grid: { rows: SQUARE_GRID, columns: SQUARE_GRID },
  visionFeatureSize: VISION_HIDDEN,
  severalImages: true,
  config: () => ({ language_config: { model_type: 'llama', ...TEXT_CONFIG } }),
  chatTemplate: chatTemplate('<image_placeholder>'),
  chatTemplateIn: 'tokenizer_config by name',
  preprocessor: {
    image_processor_type: 'VLMImageProcessor',
    processor_class: 'VLChatProcessor',
    image_size: SIDE,
    background_color: [127, 127, 127],
    ...NORMALIZATION,
  },
  processor: {
    processor_class: 'VLChatProcessor',
    image_tag: '<image_placeholder>',
    image_start_tag: '<begin_of_image>',
    image_end_tag: '<end_of_image>',
    num_image_tokens: SQUARE_PATCHES,
  },
  sessions(build) {
    const visionFeatures = prepareInputsEmbeds(build);
    decoder(build.graph('language_model'), { positions: build.positions, head: 'hidden_states' });
    const head = build.graph('lm_head');
    head.output(
      'logits',
      languageModelHead(
        head,
        head.input('hidden_states', 'float32', ['batch_size', 'sequence_length', HIDDEN]),
      ),
    );
    drawingSessions(build);
    return { visionFeatures };
  },
  async process({ processor }, { messages, images }) {
    return processor([...messages], { images: [...images] });
  },
};

/** Text and images `[batch, images, 3, height, width]` to `inputs_embeds`; the masks say which features go where. */
function prepareInputsEmbeds(build: Build): Value {
  const g = build.graph('prepare_inputs_embeds');
  const ids = g.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
  const pixels = g.input('pixel_values', 'float32', [
    'batch_size',
    'num_images',
    CHANNELS,
    'height',
    'width',
  ]);
  const inText = g.input('images_seq_mask', 'bool', ['batch_size', 'sequence_length']);
  const ofImages = g.input('images_emb_mask', 'bool', ['batch_size', 'num_images', 'num_image_tokens']);

  const count = g.op('Mul', [length(g, pixels, 0), length(g, pixels, 1)]);
  const images = reshape(g, pixels, [count, CHANNELS, length(g, pixels, 3), length(g, pixels, 4)]);
  const grid = patchGrid(g, images);
  const perImage = g.op('Mul', [length(g, grid, 2), length(g, grid, 3)]);
  const tokens = transpose(g, reshape(g, grid, [count, VISION_HIDDEN, perImage]), [0, 2, 1]);
  const features = reshape(g, visionLayers(g, tokens), [g.op('Mul', [count, perImage]), VISION_HIDDEN]);
  const projected = mlpProjector(g, features, VISION_HIDDEN);
  const rows = build.vision.markRows ? markRows(g, projected) : projected;
  const flat = reshape(g, ofImages, [
    g.op('ReduceProd', [g.op('Shape', [ofImages])], { keepdims: { int: 1 } }),
  ]);
  const used = g.op('Compress', [rows, flat], { axis: { int: 0 } });
  g.output('inputs_embeds', scatterRows(g, embed(g, ids), inText, used));
  if (build.vision.exposeVisionFeatures) g.output('vision_features', features);
  return features;
}

/** The graphs that generate images. The library loads them; `generate` does not run them. */
function drawingSessions(build: Build): void {
  const head = build.graph('gen_head');
  const states = head.input('hidden_states', 'float32', ['batch_size', 'sequence_length', HIDDEN]);
  head.output('logits', linear(head, states, '/gen_head', [HIDDEN, PICTURE_CODES]));

  const embeddings = build.graph('gen_img_embeds');
  const codes = embeddings.input('image_ids', 'int64', ['batch_size', 'sequence_length']);
  embeddings.output('inputs_embeds', embed(embeddings, codes));

  const drawing = build.graph('image_decode');
  const drawn = drawing.input('generated_tokens', 'int64', ['batch_size', 'num_tokens']);
  drawing.output('decoded_image', embed(drawing, drawn));
}
