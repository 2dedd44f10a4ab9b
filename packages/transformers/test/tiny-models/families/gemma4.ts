// Gemma 4: flat patches with their positions, averaged in blocks, as many tokens as the image needs; Gemma 3n's language model.
import { Gemma4ForConditionalGeneration } from '@huggingface/transformers';
import { AUDIO_FEATURES, audioEncoder } from '../audio-encoder.js';
import { HIDDEN, PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import type { GraphBuilder } from '../graph/graph-builder.js';
import {
  add,
  gather,
  length,
  multiply,
  reshape,
  scalar,
  slice,
  transpose,
  unsqueeze,
} from '../graph/operators.js';
import { textFirst } from '../processing.js';
import { imageTextSessions, type Vision } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { rmsNorm } from '../vision/norm.js';
import { linearProjector } from '../vision/projector.js';
import { flatPatches, PATCH_VALUES, visionLayers } from '../vision/tower.js';

/** Patches averaged along each axis. */
const POOL = 2;
const MOST_TOKENS = 16;
const BLOCK = PATCH * POOL;
// An image of this shape is not resized and does not fill all patches.
const [COLUMNS, ROWS] = [6, 2];

export const gemma4: Family = {
  name: 'gemma4',
  modelClass: Gemma4ForConditionalGeneration,
  imageToken: '<|image|>',
  specialTokens: ['<|image|>', '<|image>', '<image|>', '<|audio|>', '<|audio>', '<audio|>'],
  imageSize: { width: COLUMNS * BLOCK, height: ROWS * BLOCK },
  tokensPerImage: COLUMNS * ROWS,
  grid: { rows: ROWS, columns: COLUMNS },
  visionFeatureSize: VISION_HIDDEN,
  severalImages: true,
  config: (id) => ({
    image_token_id: id('<|image|>'),
    audio_token_id: id('<|audio|>'),
    text_config: { model_type: 'gemma4_text', num_kv_shared_layers: 0, ...TEXT_CONFIG },
    vision_config: { model_type: 'gemma4_vision', hidden_size: VISION_HIDDEN },
    audio_config: { model_type: 'gemma4_audio' },
  }),
  tokenizerConfig: {
    image_token: '<|image|>',
    boi_token: '<|image>',
    eoi_token: '<image|>',
    audio_token: '<|audio|>',
    boa_token: '<|audio>',
    eoa_token: '<audio|>',
  },
  chatTemplate: chatTemplate('<|image|>'),
  chatTemplateIn: 'chat_template.jinja',
  preprocessor: { processor_class: 'Gemma4Processor' },
  processor: {
    processor_class: 'Gemma4Processor',
    image_processor: {
      image_processor_type: 'Gemma4ImageProcessor',
      patch_size: PATCH,
      pooling_kernel_size: POOL,
      max_soft_tokens: MOST_TOKENS,
    },
    feature_extractor: { feature_extractor_type: 'Gemma4AudioFeatureExtractor', ...AUDIO_FEATURES },
  },
  sessions(build) {
    audioEncoder(build.graph('audio_encoder'));
    return imageTextSessions(build, pooledVision, { perLayerInputs: true });
  },
  process: textFirst,
};

/**
 * `pixel_values` `[n, patches, values]` and their columns and rows `pixel_position_ids` `[n, patches, 2]`, -1 where a
 * patch only fills up, to features `[tokens, VISION_HIDDEN]`.
 */
function pooledVision(g: GraphBuilder): Vision {
  const pixels = g.input('pixel_values', 'float32', ['num_images', 'num_patches', PATCH_VALUES]);
  const places = g.input('pixel_position_ids', 'int64', ['num_images', 'num_patches', 2]);
  const tokens = visionLayers(g, flatPatches(g, pixels));

  const pool = g.ints([POOL]);
  const [column, row] = [gather(g, places, g.int(0), 2), gather(g, places, g.int(1), 2)];
  const lastColumn = g.op('ReduceMax', [column], { axes: { ints: [1] }, keepdims: { int: 1 } });
  const blocksInRow = g.op('Div', [add(g, lastColumn, g.int(1)), pool]);
  const block = add(g, g.op('Div', [column, pool]), multiply(g, g.op('Div', [row, pool]), blocksInRow));

  // One column per block and one more for patches that only fill up, which is then dropped.
  const blocks = g.op('Div', [length(g, pixels, 1), g.ints([POOL ** 2])]);
  const isReal = g.op('GreaterOrEqual', [column, g.int(0)]);
  const member = g.op(
    'OneHot',
    [
      g.op('Where', [isReal, block, blocks]),
      scalar(g, add(g, blocks, g.ints([1]))),
      g.floats('off_on', [0, 1]),
    ],
    { axis: { int: -1 } },
  );
  const membership = transpose(g, slice(g, member, 2, 0, blocks), [0, 2, 1]);
  const sums = reshape(g, g.op('MatMul', [membership, tokens]), [-1, VISION_HIDDEN]);
  const counts = reshape(g, g.op('ReduceSum', [membership, g.ints([2])], { keepdims: { int: 0 } }), [-1]);
  const averages = g.op('Div', [sums, g.op('Max', [unsqueeze(g, counts, [1]), g.float(1)])]);
  const pooled = g.op('Compress', [averages, g.op('Greater', [counts, g.float(0)])], { axis: { int: 0 } });

  const features = rmsNorm(g, pooled, '/embed_vision/embedding_pre_projection_norm', VISION_HIDDEN);
  return { features, projected: reshape(g, linearProjector(g, features, VISION_HIDDEN), [-1, HIDDEN]) };
}
