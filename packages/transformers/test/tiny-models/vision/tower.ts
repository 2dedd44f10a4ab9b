// The vision encoder up to the projector. Tokens do not mix, so each row depends on one patch only, unless a family merges rows.
import { CHANNELS, PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import {
  add,
  feedForward,
  layerNorm,
  length,
  linear,
  positionCode,
  range,
  reshape,
  transpose,
} from '../graph/operators.js';

/** Values of one patch: `CHANNELS * PATCH * PATCH`. */
export const PATCH_VALUES: number = CHANNELS * PATCH * PATCH;

/** Cuts images `[n, CHANNELS, height, width]` into patches and embeds them: `[n, VISION_HIDDEN, rows, columns]`. */
export function patchGrid(g: GraphBuilder, pixels: Value): Value {
  const kernel = g.weight(
    'patch_embedding.weight',
    [VISION_HIDDEN, CHANNELS, PATCH, PATCH],
    2 / Math.sqrt(PATCH_VALUES),
  );
  return g.op(
    'Conv',
    [pixels, kernel],
    { kernel_shape: { ints: [PATCH, PATCH] }, strides: { ints: [PATCH, PATCH] } },
    '/vision_tower/embeddings/patch_embedding/Conv',
  );
}

/** `[n, VISION_HIDDEN, rows, columns]` as a list of tokens, row by row: `[n, rows * columns, VISION_HIDDEN]`. */
export function gridTokens(g: GraphBuilder, grid: Value): Value {
  return transpose(g, reshape(g, grid, [0, 0, -1]), [0, 2, 1]);
}

/** Embeds patches that the processor has flattened, `[.., PATCH_VALUES]` or a multiple of it: `[.., VISION_HIDDEN]`. */
export function flatPatches(g: GraphBuilder, patches: Value, values: number = PATCH_VALUES): Value {
  return linear(g, patches, '/vision_tower/embeddings/patch_embedding', [values, VISION_HIDDEN], { gain: 2 });
}

/** The layers of the encoder on tokens `[.., n, VISION_HIDDEN]`. Position `i` is the place in the list. */
export function visionLayers(g: GraphBuilder, tokens: Value): Value {
  const places = range(g, length(g, tokens, -2));
  const placed = add(g, tokens, positionCode(g, places, 'vision_position', VISION_HIDDEN));
  return layerNorm(
    g,
    feedForward(g, placed, '/vision_tower/layers.0', VISION_HIDDEN),
    '/vision_tower/post_layernorm',
    VISION_HIDDEN,
  );
}
