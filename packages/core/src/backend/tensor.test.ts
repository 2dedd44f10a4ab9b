// Matrices in every accepted form, and everything that is rejected.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidTensorError } from '../errors.js';
import { halfToFloat } from '../internal/half.js';
import { elementCount, float32, type MatrixInput, toMatrix, widen } from './tensor.js';

const wanted = { type: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6), dims: [2, 3] };

describe('toMatrix', () => {
  it.each<[string, MatrixInput]>([
    [
      'rows of numbers',
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    ['rows of Float32Array', [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]],
    ['rows of both', [[1, 2, 3], Float32Array.of(4, 5, 6)]],
    ['a host tensor', float32(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])],
    ['a batch of one', float32(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3])],
    ['a Float32Array with dims', { data: Float32Array.of(1, 2, 3, 4, 5, 6), dims: [2, 3] }],
    ['a Float64Array with dims', { data: Float64Array.of(1, 2, 3, 4, 5, 6), dims: [2, 3] }],
    [
      'a Float64Array as a batch of one',
      { type: 'float64', data: Float64Array.of(1, 2, 3, 4, 5, 6), dims: [1, 2, 3] },
    ],
  ])('reads %s', (_, input) => {
    expect(toMatrix('vision', input)).toEqual(wanted);
  });

  it('reads a tensor of an engine, whose fields are getters of a class', () => {
    class OrtLikeTensor {
      readonly location = 'cpu';
      get type(): string {
        return 'float32';
      }
      get data(): Float32Array {
        return Float32Array.of(1, 2, 3, 4, 5, 6);
      }
      get dims(): readonly number[] {
        return [1, 2, 3];
      }
    }
    expect(toMatrix('vision', new OrtLikeTensor())).toEqual(wanted);
  });

  it('does not copy float32 and float16 data', () => {
    const data = new Float32Array(6);
    expect(toMatrix('vision', { data, dims: [2, 3] }).data).toBe(data);
    const bits = new Uint16Array(6);
    expect(toMatrix('vision', { type: 'float16', data: bits, dims: [1, 2, 3] })).toEqual({
      type: 'float16',
      data: bits,
      dims: [2, 3],
    });
    expect(toMatrix('vision', { type: 'float16', data: bits, dims: [2, 3] }).data).toBe(bits);
  });

  it('reads views into larger memory', () => {
    const memory = Float32Array.of(9, 1, 2, 3, 4, 9);
    expect(toMatrix('vision', { data: memory.subarray(1, 5), dims: [2, 2] }).data).toEqual(
      Float32Array.of(1, 2, 3, 4),
    );
  });

  it('rounds doubles to float32', () => {
    expect(toMatrix('vision', { data: Float64Array.of(0.1), dims: [1, 1] }).data[0]).toBe(Math.fround(0.1));
    expect(toMatrix('vision', [[0.1]]).data[0]).toBe(Math.fround(0.1));
  });

  it('keeps empty shapes', () => {
    expect(toMatrix('text', []).dims).toEqual([0, 0]);
    expect(toMatrix('text', [[], []]).dims).toEqual([2, 0]);
    expect(toMatrix('text', { data: new Float32Array(0), dims: [0, 7] }).dims).toEqual([0, 7]);
    expect(toMatrix('text', { data: new Float32Array(0), dims: [1, 0, 7] }).dims).toEqual([0, 7]);
  });

  it.each<[string, unknown, string | RegExp]>([
    ['null', null, 'got null'],
    ['undefined', undefined, 'got undefined'],
    ['a number', 7, 'got number'],
    ['a string', '1,2', 'got string'],
    ['a bare Float32Array, which has no shape', new Float32Array(6), 'got Float32Array'],
    ['an object without data', { dims: [2, 3] }, 'expected a tensor { data, dims }'],
    ['an object without dims', { data: new Float32Array(6) }, 'expected a tensor { data, dims }'],
    ['a vector', { data: new Float32Array(6), dims: [6] }, 'got shape [6]'],
    ['a scalar', { data: new Float32Array(1), dims: [] }, 'got shape []'],
    ['a batch of two', { data: new Float32Array(12), dims: [2, 2, 3] }, 'got shape [2, 2, 3]'],
    ['four axes', { data: new Float32Array(6), dims: [1, 1, 2, 3] }, 'got shape [1, 1, 2, 3]'],
    ['a negative length', { data: new Float32Array(6), dims: [-2, -3] }, 'got shape [-2, -3]'],
    ['a fractional length', { data: new Float32Array(3), dims: [1.5, 2] }, 'got shape [1.5, 2]'],
    ['a length that is not a number', { data: new Float32Array(6), dims: ['n', 3] }, 'got shape [NaN, 3]'],
    ['too little data', { data: new Float32Array(5), dims: [2, 3] }, 'needs 6 elements, the data has 5'],
    ['too much data', { data: new Float64Array(7), dims: [2, 3] }, 'needs 6 elements, the data has 7'],
    ['too little half data', { type: 'float16', data: new Uint16Array(5), dims: [2, 3] }, 'the data has 5'],
    ['integers', { type: 'int32', data: new Int32Array(6), dims: [2, 3] }, /got Int32Array \(type 'int32'\)/],
    ['64-bit integers', { type: 'int64', data: new BigInt64Array(6), dims: [2, 3] }, 'got BigInt64Array'],
    ['half bits that do not say so', { data: new Uint16Array(6), dims: [2, 3] }, 'got Uint16Array'],
    ['data as a plain array', { data: [1, 2, 3, 4, 5, 6], dims: [2, 3] }, 'got Array'],
    ['data that stays on a device', { type: 'float32', data: undefined, dims: [2, 3] }, 'got undefined'],
    ['ragged rows', [[1, 2], [3]], 'row 0 has 2 numbers, but row 1 has 1'],
    ['a missing row', [[1, 2], undefined], 'row 1 is undefined'],
    ['a flat array', [1, 2, 3], 'row 0 is number'],
    ['numbers that JSON has made null', [[1], [null]], 'row 1, column 0 is null; expected a number'],
    ['big integers', [[1n]], 'row 0, column 0 is bigint'],
    ['strings', ['12', '34'], 'row 0 is string'],
    ['a hole', [[1, 2], Array(2)], 'row 1, column 0 is undefined'],
  ])('rejects %s', (_, input, message) => {
    const act = (): unknown => toMatrix('vision', input as MatrixInput);
    expect(act).toThrow(InvalidTensorError);
    expect(act).toThrow("Tensor 'vision':");
    if (message !== InvalidTensorError.name) expect(act).toThrow(message);
  });
});

describe('widen', () => {
  it('widens every half as halfToFloat does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { maxLength: 40 }), (bits) => {
        const wide = widen({ type: 'float16', data: Uint16Array.from(bits), dims: [bits.length] });
        expect(wide).toEqual(float32(Float32Array.from(bits, halfToFloat), [bits.length]));
      }),
      { numRuns: 200 },
    );
  });

  it('returns other tensors as they are', () => {
    const single = float32(Float32Array.of(1), [1]);
    expect(widen(single)).toBe(single);
    const index = { type: 'int32', data: Int32Array.of(1), dims: [1] } as const;
    expect(widen(index)).toBe(index);
  });
});

describe('elementCount', () => {
  it('multiplies the lengths; a scalar has one element', () => {
    expect([elementCount([]), elementCount([3]), elementCount([2, 3, 4]), elementCount([5, 0])]).toEqual([
      1, 3, 24, 0,
    ]);
  });
});
