// A symmetric matrix from the blocks on and below its diagonal: each is copied to its mirror position, and all columns are summed.

import type { CoverageMatrix } from '../search/objective.js';

/** Rows copied at a time, so that the part of a block being read stays in the L1 cache. */
const STRIP = 32;

/**
 * Fills a matrix and returns the sums of its columns.
 * @param width columns of a block; the last may have fewer.
 * @param block computes columns `start` to `start + width`, of the rows from `start` on: `[n − start, width]`.
 */
export async function fillSymmetric(
  matrix: CoverageMatrix,
  width: number,
  block: (start: number, width: number) => Promise<Float32Array>,
): Promise<Float64Array> {
  const n = matrix.candidates;
  const sums = new Float64Array(n);
  for (let start = 0; start < n; start += width) {
    const columns = Math.min(width, n - start);
    place(matrix, await block(start, columns), start, columns, sums);
  }
  return sums;
}

/** Copies a block to its position and to its mirror position, and adds it to the sums of the columns it contributes to. */
function place(
  { affinity, candidates: n }: CoverageMatrix,
  block: Float32Array,
  start: number,
  columns: number,
  sums: Float64Array,
): void {
  const rows = n - start;
  for (let row = 0; row < rows; row++) {
    const values = block.subarray(row * columns, (row + 1) * columns);
    affinity.set(values, (start + row) * n + start);
    let sum = 0;
    for (let column = 0; column < columns; column++) {
      const value = values[column] as number;
      sum += value;
      sums[start + column] = (sums[start + column] as number) + value;
    }
    // In the square on the diagonal, each column is already complete.
    if (row >= columns) sums[start + row] = (sums[start + row] as number) + sum;
  }
  for (let strip = columns; strip < rows; strip += STRIP) {
    const end = Math.min(strip + STRIP, rows);
    for (let column = 0; column < columns; column++) {
      const to = (start + column) * n + start;
      for (let row = strip; row < end; row++) affinity[to + row] = block[row * columns + column] as number;
    }
  }
}

/** Multiplies each column by its weight, and returns the sums of the rows. */
export function weighColumns(
  { affinity, candidates, targets }: CoverageMatrix,
  weights: Float32Array,
): Float32Array {
  const sums = new Float32Array(candidates);
  for (let row = 0; row < candidates; row++) {
    const from = row * targets;
    let sum = 0;
    for (let column = 0; column < targets; column++) {
      const value = Math.fround((affinity[from + column] as number) * (weights[column] as number));
      affinity[from + column] = value;
      sum += value;
    }
    sums[row] = sum;
  }
  return sums;
}
