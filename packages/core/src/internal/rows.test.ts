// Moving rows of flat arrays.

import { describe, expect, it } from 'vitest';
import { gatherRows, scatterRows, sliceRows, sum } from './rows.js';

const data = Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31);

describe('rows', () => {
  it('slices, gathers and scatters copies', () => {
    expect(sliceRows(data, 2, 1, 3)).toEqual(Float32Array.of(10, 11, 20, 21));
    expect(gatherRows(data, 2, [3, 0, 3])).toEqual(Float32Array.of(30, 31, 0, 1, 30, 31));
    const target = new Float32Array(8);
    scatterRows(target, 2, [2, 0], Float32Array.of(1, 2, 3, 4));
    expect(target).toEqual(Float32Array.of(3, 4, 0, 0, 1, 2, 0, 0));
    gatherRows(data, 2, [0])[0] = 99;
    expect(data[0]).toBe(0);
  });

  it('keeps the type of the array', () => {
    const halves = Uint16Array.of(1, 2, 3, 4);
    expect(gatherRows(halves, 2, [1])).toEqual(Uint16Array.of(3, 4));
    expect(sliceRows(halves, 2, 0, 0)).toEqual(new Uint16Array(0));
  });

  it.each([
    () => sliceRows(data, 2, 3, 5),
    () => sliceRows(data, 2, 2, 1),
    () => gatherRows(data, 2, [4]),
    () => gatherRows(data, 2, [-1]),
    () => gatherRows(data, 2, [0.5]),
    () => scatterRows(new Float32Array(4), 2, [2], Float32Array.of(1, 2)),
    () => scatterRows(new Float32Array(4), 2, [0, 1], Float32Array.of(1, 2)),
  ])('rejects rows that do not exist: %s', (act) => {
    expect(act).toThrow(RangeError);
  });
});

describe('sum', () => {
  it('sums arrays of any type in double precision', () => {
    expect([sum([]), sum([1, 2, 3.5]), sum(Float32Array.of(2 ** 24, 1, 1))]).toEqual([0, 6.5, 2 ** 24 + 2]);
  });
});
