// Vision of the Qwen families: flat patches and their grid, merged in fours before a two-layer projector.
import { VISION_HIDDEN } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { gather, range, reshape, slice } from '../graph/operators.js';
import type { Vision } from '../sessions.js';
import { MERGE } from './merge-patches.js';
import { mlpProjector } from './projector.js';
import { flatPatches, PATCH_VALUES, visionLayers } from './tower.js';

/** Frames in a patch; an image counts as two equal ones. */
export const FRAMES = 2;
/** Width of the features before the projector. */
export const MERGED_SIZE: number = MERGE ** 2 * VISION_HIDDEN;
/** Side of an attention window, in merged tokens. */
const WINDOW = 2;

export interface GridOptions {
  /** What the grid is called: `grid_thw` or `image_grid_thw`. */
  readonly gridInput: string;
  /** Whether the encoder sorts tokens into windows and the order is restored after the projector only. @default false */
  readonly windows?: boolean;
}

/**
 * `pixel_values` `[patches, values]`, which the processor has ordered in blocks of four, and the grid `[images, 3]` of
 * frames, rows and columns, to features `[tokens, MERGED_SIZE]`.
 */
export function gridVision(g: GraphBuilder, { gridInput, windows = false }: GridOptions): Vision {
  const pixels = g.input('pixel_values', 'float32', ['num_patches', FRAMES * PATCH_VALUES]);
  const grid = g.input(gridInput, 'int64', ['num_images', 3]);
  const perImage = g.op('ReduceProd', [grid], { axes: { ints: [1] }, keepdims: { int: 0 } });
  const count = g.op('ReduceSum', [perImage], { keepdims: { int: 1 } });
  const patches = reshape(g, flatPatches(g, pixels, FRAMES * PATCH_VALUES), [count, VISION_HIDDEN]);
  if (!windows) {
    const features = reshape(g, visionLayers(g, patches), [-1, MERGED_SIZE]);
    return { features, projected: mlpProjector(g, features, MERGED_SIZE) };
  }
  const order = windowOrder(g, grid);
  const blocks = reshape(g, patches, [-1, MERGE ** 2, VISION_HIDDEN]);
  const sorted = reshape(g, gather(g, blocks, order), [count, VISION_HIDDEN]);
  const features = reshape(g, visionLayers(g, sorted), [-1, MERGED_SIZE]);
  const projected = mlpProjector(g, features, MERGED_SIZE);
  return { features, projected: gather(g, projected, ascending(g, order)) };
}

/** The merged tokens of the first image, window by window: token `order[i]` comes at place i. */
function windowOrder(g: GraphBuilder, grid: Value): Value {
  const [merge, window] = [g.ints([MERGE]), g.ints([WINDOW])];
  const size = reshape(g, gather(g, grid, g.int(0)), [-1]);
  const rows = g.op('Div', [slice(g, size, 0, 1, 2), merge]);
  const columns = g.op('Div', [slice(g, size, 0, 2, 3), merge]);
  const count = g.op('Mul', [slice(g, size, 0, 0, 1), g.op('Mul', [rows, columns])]);
  const tokens = range(g, count);
  const windowRow = g.op('Div', [g.op('Div', [tokens, columns]), window]);
  const windowColumn = g.op('Div', [g.op('Mod', [tokens, columns]), window]);
  const key = g.op('Add', [g.op('Mul', [windowRow, columns]), windowColumn]);
  // The token's own number decides within a window.
  return ascending(g, g.op('Add', [g.op('Mul', [key, count]), tokens]));
}

/** The places of the values of a vector of integers in ascending order. */
function ascending(g: GraphBuilder, values: Value): Value {
  const places = `${values}/places`;
  g.opWithOutputs('TopK', [values, g.op('Shape', [values])], { largest: { int: 0 }, sorted: { int: 1 } }, [
    `${values}/sorted`,
    places,
  ]);
  return places;
}
