// Equal rows are found exactly, even if hashes collide.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MatrixTensor } from '../backend/tensor.js';
import { equalRows } from './equal-rows.js';

/** For each row the first one whose numbers are equal, by comparing all pairs. */
function byComparison(rows: readonly (readonly number[])[]): number[] {
  return rows.map((row) => rows.findIndex((other) => other.every((value, i) => value === row[i])));
}

describe('equalRows', () => {
  const value = fc.constantFrom(0, -0, 1, 2);
  // Wider than what is hashed first, and mostly equal there.
  const matrix = fc.integer({ min: 1, max: 12 }).chain((width) =>
    fc.array(
      fc
        .array(value, { minLength: Math.min(width, 3), maxLength: Math.min(width, 3) })
        .map((end) => [...new Array<number>(width - end.length).fill(1), ...end]),
      { minLength: 1, maxLength: 40 },
    ),
  );

  it('names the first equal row, in float32 and float16, −0 being 0', () => {
    fc.assert(
      fc.property(matrix, fc.boolean(), (rows, isHalf) => {
        const dims = [rows.length, (rows[0] as number[]).length];
        const halfBits = (x: number): number => (Object.is(x, -0) ? 0x8000 : x === 0 ? 0 : 0x3c00 + x);
        const tensor: MatrixTensor = isHalf
          ? { type: 'float16', data: Uint16Array.from(rows.flat(), halfBits), dims }
          : { type: 'float32', data: Float32Array.from(rows.flat()), dims };
        const expected = byComparison(rows);
        const found = equalRows(tensor);
        if (expected.every((first, row) => first === row)) expect(found).toBeUndefined();
        else expect(Array.from(found as Int32Array)).toEqual(expected);
      }),
    );
  });
});
