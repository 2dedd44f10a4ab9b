// The baseline that looks at nothing: tokens spread evenly over the picture.

import { InvalidOptionsError } from '@mmtok/core';
import { countTokens, type Selector } from './selector.js';

/**
 * Keeps tokens that are spread evenly: over the grid where the input has one, else over the sequence. Over a grid it
 * divides the picture into rows of cells that are as square as the number allows, and keeps the token in the middle of
 * each cell; exactly as many as the budget asks.
 */
export function uniformSelector(): Selector {
  return async (input, budget) => {
    const { n, k } = countTokens(input, budget);
    const { grid } = input;
    if (grid === undefined) return middles(n, k);
    const [rows, columns] = grid;
    if (rows * columns !== n) {
      throw new InvalidOptionsError('grid', [
        `${rows} × ${columns} is not the number of vision tokens, ${n}`,
      ]);
    }
    return overGrid(rows, columns, k);
  };
}

/** The middles of `count` equal parts of `length` places. */
const middles = (length: number, count: number): number[] =>
  Array.from({ length: count }, (_, part) => Math.floor(((part + 0.5) * length) / count));

function overGrid(rows: number, columns: number, k: number): number[] {
  const square = Math.round(Math.sqrt((k * rows) / columns));
  const cellRows = Math.min(Math.max(square, Math.ceil(k / columns), 1), rows, k);
  return middles(rows, cellRows).flatMap((row, i) => {
    const before = Math.floor((i * k) / cellRows);
    const inRow = Math.floor(((i + 1) * k) / cellRows) - before;
    return middles(columns, inRow).map((column) => row * columns + column);
  });
}
