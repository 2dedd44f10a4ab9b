// LFM2-VL: flat patches of tiles of different sizes, and a decoder whose first layer is a convolution with its own cache.
import { Lfm2VlForConditionalGeneration } from '@huggingface/transformers';
import { attentionLayer } from '../decoder/attention-layer.js';
import { convolutionLayer } from '../decoder/convolution-layer.js';
import { PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import type { GraphBuilder } from '../graph/graph-builder.js';
import { cast, gather, length, multiply, reshape, slice, unsqueeze } from '../graph/operators.js';
import { imagesFirst } from '../processing.js';
import { imageTextSessions, type Vision } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { MERGE, mergePatches } from '../vision/merge-patches.js';
import { mlpProjector } from '../vision/projector.js';
import { rowsOfEach } from '../vision/rows-of-each.js';
import { NORMALIZATION } from '../vision/square-image.js';
import { flatPatches, PATCH_VALUES, visionLayers } from '../vision/tower.js';

const TILE = 16;
const MOST_TILES = 4;
const MOST_TOKENS = 16;
const FEATURE_SIZE = MERGE ** 2 * VISION_HIDDEN;
/** More pixels than fit a single tile: cut into two by two, and shown whole in `MOST_TOKENS` tokens. */
const SIDE = 48;

const TILE_PLACES = [1, 2, 3, 4].flatMap((row) =>
  [1, 2, 3, 4]
    .filter((column) => row * column <= MOST_TILES)
    .map((column) => `<|img_row_${row}_col_${column}|>`),
);

export const lfm2Vl: Family = {
  name: 'lfm2_vl',
  modelClass: Lfm2VlForConditionalGeneration,
  imageToken: '<image>',
  specialTokens: ['<image>', '<|image_start|>', '<|image_end|>', '<|img_thumbnail|>', ...TILE_PLACES],
  imageSize: { width: SIDE, height: SIDE },
  tokensPerImage: 4 * (TILE / PATCH / MERGE) ** 2 + MOST_TOKENS,
  visionFeatureSize: FEATURE_SIZE,
  severalImages: true,
  config: (id) => ({
    image_token_id: id('<image>'),
    downsample_factor: MERGE,
    text_config: { model_type: 'lfm2', layer_types: ['conv', 'full_attention'], ...TEXT_CONFIG },
    vision_config: { model_type: 'siglip2_vision_model', hidden_size: VISION_HIDDEN },
  }),
  chatTemplate: chatTemplate('<image>'),
  preprocessor: {
    image_processor_type: 'Lfm2VlImageProcessor',
    processor_class: 'Lfm2VlProcessor',
    do_resize: false,
    do_image_splitting: true,
    downsample_factor: MERGE,
    encoder_patch_size: PATCH,
    tile_size: TILE,
    min_tiles: 2,
    max_tiles: MOST_TILES,
    min_image_tokens: 4,
    max_image_tokens: MOST_TOKENS,
    max_pixels_tolerance: 2,
    use_thumbnail: true,
    ...NORMALIZATION,
  },
  sessions: (build) =>
    imageTextSessions(build, raggedVision, {
      layers: [convolutionLayer, attentionLayer],
      numLogitsToKeep: true,
    }),
  process: imagesFirst,
};

/** `pixel_values` `[tiles, patches, values]`, of which a tile uses as many as `spatial_shapes` says, to `[tokens, FEATURE_SIZE]`. */
function raggedVision(g: GraphBuilder): Vision {
  const pixels = g.input('pixel_values', 'float32', ['num_tiles', 'max_num_patches', PATCH_VALUES]);
  const mask = g.input('pixel_attention_mask', 'int64', ['num_tiles', 'max_num_patches']);
  const shapes = g.input('spatial_shapes', 'int64', ['num_tiles', 2]);
  const tokens = visionLayers(
    g,
    multiply(g, flatPatches(g, pixels), unsqueeze(g, cast(g, mask, 'float32'), [2])),
  );

  const features = rowsOfEach(g, { count: length(g, pixels, 0), width: FEATURE_SIZE }, (tile, index) => {
    const shape = gather(tile, shapes, index);
    const [rows, columns] = [slice(tile, shape, 0, 0, 1), slice(tile, shape, 0, 1, 2)];
    const used = slice(tile, gather(tile, tokens, index), 0, 0, multiply(tile, rows, columns));
    return reshape(tile, mergePatches(tile, used, rows, columns, VISION_HIDDEN), [-1, FEATURE_SIZE]);
  });
  return { features, projected: mlpProjector(g, features, FEATURE_SIZE) };
}
