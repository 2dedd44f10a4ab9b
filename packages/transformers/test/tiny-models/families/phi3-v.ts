// Phi-3 Vision: crops and an overview, a learned token at the end of each row, and negative ids as placeholders.
import { Phi3VForCausalLM } from '@huggingface/transformers';
import { decoder } from '../decoder/decoder.js';
import { embed } from '../decoder/embed-tokens.js';
import { CHANNELS, HIDDEN, PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { concat, gather, length, reshape, slice, transpose } from '../graph/operators.js';
import { textFirst } from '../processing.js';
import type { Vision } from '../sessions.js';
import { chatTemplate } from '../text/chat-template.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { imageFeatures } from '../vision/image-features.js';
import { mlpProjector } from '../vision/projector.js';
import { rowsOfEach } from '../vision/rows-of-each.js';
import { scatterRows } from '../vision/scatter-rows.js';
import { NORMALIZATION } from '../vision/square-image.js';
import { gridTokens, patchGrid, visionLayers } from '../vision/tower.js';

/** Side of a crop, which the image processor fixes. */
const CROP = 336;
/** Patches along an edge of a crop; pixels are averaged to fit. */
const GRID = 2;
const CROPS = 4;

export const phi3V: Family = {
  name: 'phi3_v',
  modelClass: Phi3VForCausalLM,
  imageToken: '<|image|>',
  specialTokens: ['<|image|>'],
  imageSize: { width: 64, height: 64 },
  // Four crops, two by two, and the overview: each row of patches ends with a token, and one token separates the two.
  tokensPerImage: 2 * GRID * (2 * GRID + 1) + 1 + GRID * (GRID + 1),
  visionFeatureSize: VISION_HIDDEN,
  severalImages: true,
  config: () => TEXT_CONFIG,
  chatTemplate: chatTemplate('<|image_{n}|>'),
  preprocessor: {
    image_processor_type: 'Phi3VImageProcessor',
    processor_class: 'Phi3VProcessor',
    num_crops: CROPS,
    num_img_tokens: GRID ** 2,
    ...NORMALIZATION,
  },
  sessions(build) {
    const encoder = build.graph('vision_encoder');
    const vision = cropVision(encoder);
    imageFeatures(encoder, vision, build.vision);
    prepareInputsEmbeds(build.graph('prepare_inputs_embeds'));
    decoder(build.graph('model'), { positions: build.positions });
    return { visionFeatures: vision.features };
  },
  process: textFirst,
  visualSlots({ input_ids }) {
    const ids = input_ids!.data as BigInt64Array;
    return [...ids.keys()].filter((index) => ids[index]! < 0n);
  },
};

/** Images as crops, the overview first, `[n, 1 + CROPS, 3, CROP, CROP]`, to features `[tokens, VISION_HIDDEN]`. */
function cropVision(g: GraphBuilder): Vision {
  const pixels = g.input('pixel_values', 'float32', ['num_images', 'num_crops', CHANNELS, CROP, CROP]);
  const sizes = g.input('image_sizes', 'int64', ['num_images', 2]);
  const block = { ints: [CROP / (GRID * PATCH), CROP / (GRID * PATCH)] };
  const small = g.op('AveragePool', [reshape(g, pixels, [-1, CHANNELS, CROP, CROP])], {
    kernel_shape: block,
    strides: block,
  });
  const tokens = visionLayers(g, gridTokens(g, patchGrid(g, small)));
  const [count, crops] = [length(g, pixels, 0), length(g, pixels, 1)];
  const grids = reshape(g, tokens, [count, crops, GRID, GRID, VISION_HIDDEN]);
  const layouts = g.op('Div', [sizes, g.int(CROP)]);
  const features = rowsOfEach(g, { count, width: VISION_HIDDEN }, (image, index) =>
    imageRows(image, gather(image, grids, index), gather(image, layouts, index)),
  );
  return { features, projected: mlpProjector(g, features, VISION_HIDDEN) };
}

/** The rows of one image: its crops arranged by `layout`, a separating token, the overview. */
function imageRows(g: GraphBuilder, grids: Value, layout: Value): Value {
  const [rows, columns] = [slice(g, layout, 0, 0, 1), slice(g, layout, 0, 1, 2)];
  const crops = slice(g, grids, 0, 1, g.op('Add', [g.op('Mul', [rows, columns]), g.ints([1])]));
  const placed = transpose(g, reshape(g, crops, [rows, columns, GRID, GRID * VISION_HIDDEN]), [0, 2, 1, 3]);
  const together = reshape(g, placed, [
    g.op('Mul', [rows, g.ints([GRID])]),
    g.op('Mul', [columns, g.ints([GRID])]),
    VISION_HIDDEN,
  ]);
  const whole = reshape(g, slice(g, grids, 0, 0, 1), [GRID, GRID, VISION_HIDDEN]);
  const between = g.weight('glb_GN', [1, VISION_HIDDEN], 1);
  return concat(g, [endRows(g, together), between, endRows(g, whole)], 0);
}

/** A grid `[rows, columns, VISION_HIDDEN]` as one list in which a learned token ends each row. */
function endRows(g: GraphBuilder, grid: Value): Value {
  const end = g.weight('sub_GN', [1, 1, VISION_HIDDEN], 1);
  const shape = concat(g, [slice(g, g.op('Shape', [grid]), 0, 0, 1), g.ints([1, VISION_HIDDEN])], 0);
  return reshape(g, concat(g, [grid, g.op('Expand', [end, shape])], 1), [-1, VISION_HIDDEN]);
}

/** `input_ids`, negative where a feature belongs, and `image_features` `[n, HIDDEN]` to `inputs_embeds`. */
function prepareInputsEmbeds(g: GraphBuilder): void {
  const ids = g.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
  const features = g.input('image_features', 'float32', ['num_image_tokens', HIDDEN]);
  const text = embed(g, g.op('Max', [ids, g.int(0)]));
  g.output('inputs_embeds', scatterRows(g, text, g.op('Less', [ids, g.int(0)]), features));
}
