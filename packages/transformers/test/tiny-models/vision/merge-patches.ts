// Merges neighboring patches into one vision token by concatenating their features (pixel shuffle, patch merging).
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { reshape, transpose } from '../graph/operators.js';

/** Patches joined along each axis. */
export const MERGE = 2;

/**
 * Joins blocks of `MERGE` by `MERGE` patches: `[n, rows * columns, width]` to
 * `[n, rows * columns / MERGE ** 2, MERGE ** 2 * width]`. `rows` and `columns` are vectors of one integer.
 */
export function mergePatches(
  g: GraphBuilder,
  tokens: Value,
  rows: Value,
  columns: Value,
  width: number,
): Value {
  const merge = g.ints([MERGE]);
  const half = (axis: Value): Value => g.op('Div', [axis, merge]);
  // The number of images goes with the rows while blocks are cut, so that the order of axes is the same for one and many.
  const blocks = reshape(g, tokens, [-1, MERGE, half(columns), MERGE, width]);
  const ordered = transpose(g, blocks, [0, 2, 1, 3, 4]);
  const count = g.op('Mul', [half(rows), half(columns)]);
  return reshape(g, ordered, [-1, count, MERGE ** 2 * width]);
}
