// The baseline that looks at nothing: tokens spread evenly over the picture.

import { defineMethod } from './define-method.js';
import type { Selector } from './selector.js';

/**
 * Divides the grid into as many cells as tokens are asked for, as square as that number allows, and keeps the token in
 * the middle of each; without a grid, it divides the sequence.
 */
export const uniform: Selector = defineMethod({
  name: 'uniform',
  title: 'Uniform grid',
  source: 'https://en.wikipedia.org/wiki/Stratified_sampling',
  select({ vision, grid }, k) {
    const n = vision.dims[0] as number;
    return grid !== undefined && grid[0] * grid[1] === n ? overGrid(grid, k) : middles(n, k);
  },
});

/** The middles of `count` equal parts of `length` places. */
function middles(length: number, count: number): number[] {
  return Array.from({ length: count }, (_, part) => Math.floor(((part + 0.5) * length) / count));
}

function overGrid([rows, columns]: readonly [number, number], k: number): number[] {
  const square = Math.round(Math.sqrt((k * rows) / columns));
  const cellRows = Math.min(Math.max(square, Math.ceil(k / columns), 1), rows, k);
  return middles(rows, cellRows).flatMap((row, i) => {
    const before = Math.floor((i * k) / cellRows);
    const inRow = Math.floor(((i + 1) * k) / cellRows) - before;
    return middles(columns, inRow).map((column) => row * columns + column);
  });
}
