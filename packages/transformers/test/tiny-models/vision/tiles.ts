// Vision of families that cut an image into tiles, encode each, and merge neighboring patches before a one-layer projector.
import { CHANNELS, PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { GraphBuilder } from '../graph/graph-builder.js';
import { cast, reshape } from '../graph/operators.js';
import type { Vision } from '../sessions.js';
import { MERGE, mergePatches } from './merge-patches.js';
import { linearProjector } from './projector.js';
import { gridTokens, patchGrid, visionLayers } from './tower.js';

/** Side of a tile in pixels. */
export const TILE = 16;
const GRID = TILE / PATCH;
/** Visual tokens of a tile. */
export const TOKENS_PER_TILE: number = (GRID / MERGE) ** 2;
/** Width of the features before the projector. */
export const TILE_FEATURE_SIZE: number = MERGE ** 2 * VISION_HIDDEN;

/**
 * `pixel_values` `[batch, tiles, 3, TILE, TILE]` to features `[real tiles, TOKENS_PER_TILE, ..]`. Tiles that only fill up
 * a batch, which `pixel_attention_mask` says, are left out.
 */
export function tileVision(g: GraphBuilder): Vision {
  const pixels = g.input('pixel_values', 'float32', ['batch_size', 'num_tiles', CHANNELS, TILE, TILE]);
  const mask = g.input('pixel_attention_mask', 'bool', ['batch_size', 'num_tiles', TILE, TILE]);
  const anyPixel = g.op('ReduceMax', [cast(g, mask, 'float32')], {
    axes: { ints: [2, 3] },
    keepdims: { int: 0 },
  });
  const isTile = cast(g, reshape(g, anyPixel, [-1]), 'bool');
  const tiles = g.op('Compress', [reshape(g, pixels, [-1, CHANNELS, TILE, TILE]), isTile], {
    axis: { int: 0 },
  });
  const tokens = visionLayers(g, gridTokens(g, patchGrid(g, tiles)));
  const features = mergePatches(g, tokens, g.ints([GRID]), g.ints([GRID]), VISION_HIDDEN);
  return { features, projected: linearProjector(g, features, TILE_FEATURE_SIZE) };
}
