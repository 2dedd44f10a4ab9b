// A symmetric matrix that is built from the blocks of one half equals the matrix, whatever the width of the blocks.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CoverageMatrix } from '../search/objective.js';
import { createRandom } from '../search/sampling.js';
import { fillSymmetric, weighColumns } from './symmetric-matrix.js';

function symmetric(n: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const data = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) data[i * n + j] = data[j * n + i] = Math.fround(random());
  }
  return data;
}

it('is filled and summed from blocks of any width', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 100 }),
      fc.nat(),
      async (n, width, seed) => {
        const expected = symmetric(n, seed);
        const matrix = new CoverageMatrix(n, n);
        const asked: [start: number, width: number][] = [];
        const sums = await fillSymmetric(matrix, width, async (start, columns) => {
          asked.push([start, columns]);
          const block = new Float32Array((n - start) * columns);
          for (let row = 0; row < n - start; row++) {
            for (let column = 0; column < columns; column++) {
              block[row * columns + column] = expected[(start + row) * n + start + column] as number;
            }
          }
          return block;
        });
        expect(matrix.affinity.every((value, at) => value === expected[at])).toBe(true);
        expect(asked.reduce((total, [, columns]) => total + columns, 0)).toBe(n);
        const columns = Float64Array.from({ length: n }, (_, column) => {
          let sum = 0;
          for (let row = 0; row < n; row++) sum += expected[row * n + column] as number;
          return sum;
        });
        const farthest = columns.reduce(
          (most, sum, at) => Math.max(most, Math.abs(sum - (sums[at] as number))),
          0,
        );
        expect(farthest).toBeLessThan(1e-9);
      },
    ),
  );
});

it('multiplies columns by weights and sums rows', () => {
  const matrix = new CoverageMatrix(2, 2);
  matrix.affinity.set([1, 2, 3, 4]);
  expect([...weighColumns(matrix, Float32Array.of(10, 0.5))]).toEqual([11, 32]);
  expect([...matrix.affinity]).toEqual([10, 1, 30, 2]);
});
