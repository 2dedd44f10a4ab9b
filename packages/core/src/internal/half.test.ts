// The 16-bit floats against known bit patterns, and as inverses of each other.

import { describe, expect, it } from 'vitest';
import {
  bfloat16sToFloats,
  bfloat16ToFloat,
  floatsToHalves,
  floatToBfloat16,
  floatToHalf,
  halfToFloat,
  halvesToFloats,
} from './half.js';

// Half precision: 1 sign, 5 exponent and 10 fraction bits.
const halfs: readonly (readonly [number, number])[] = [
  [0x0000, 0],
  [0x8000, -0],
  [0x0001, 2 ** -24],
  [0x8001, -(2 ** -24)],
  [0x0002, 2 ** -23],
  [0x0200, 2 ** -15],
  [0x03ff, 1023 * 2 ** -24],
  [0x0400, 2 ** -14],
  [0x0401, 2 ** -14 * (1 + 2 ** -10)],
  [0x2e66, 0.0999755859375],
  [0x3555, 0.333251953125],
  [0x3800, 0.5],
  [0x3bff, 1 - 2 ** -11],
  [0x3c00, 1],
  [0x3c01, 1 + 2 ** -10],
  [0xbc00, -1],
  [0x4000, 2],
  [0x4248, 3.140625],
  [0xc500, -5],
  [0x7bff, 65504],
  [0xfbff, -65504],
  [0x7c00, Number.POSITIVE_INFINITY],
  [0xfc00, Number.NEGATIVE_INFINITY],
  [0x7c01, Number.NaN],
  [0x7e00, Number.NaN],
  [0xffff, Number.NaN],
];

describe('halfToFloat', () => {
  it.each(halfs)('0x%s', (bits, value) => {
    expect(halfToFloat(bits)).toBe(value);
  });

  it('is exact in float32 and grows with the bits', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const value = halfToFloat(bits);
      expect(Math.fround(value) === value && value < halfToFloat(bits + 1)).toBe(true);
      if (halfToFloat(bits | 0x8000) !== -value) expect(halfToFloat(bits | 0x8000)).toBe(-value);
    }
  });
});

describe('floatToHalf', () => {
  it('gives back the bits of every half', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfToFloat(bits);
      if (!Number.isNaN(value)) expect(floatToHalf(value)).toBe(bits);
    }
    expect(halfToFloat(floatToHalf(Number.NaN))).toBeNaN();
  });

  it.each([
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [-1e6, 0xfc00],
  ])('rounds %d to the nearest half', (value, bits) => {
    expect(floatToHalf(value)).toBe(bits);
  });

  it('converts many at once', () => {
    const halves = Uint16Array.of(0x3c00, 0xc500, 1);
    expect(halvesToFloats(halves)).toEqual(Float32Array.of(1, -5, 2 ** -24));
    expect(floatsToHalves(halvesToFloats(halves))).toEqual(halves);
  });
});

describe('bfloat16', () => {
  it.each([
    [0x0000, 0],
    [0x3f80, 1],
    [0xc040, -3],
    [0x4049, 3.140625],
    [0x7f80, Number.POSITIVE_INFINITY],
  ])('0x%s', (bits, value) => {
    expect(bfloat16ToFloat(bits)).toBe(value);
    expect(floatToBfloat16(value)).toBe(bits);
    expect(bfloat16sToFloats(Uint16Array.of(bits))).toEqual(Float32Array.of(value));
  });

  it('rounds to the nearest, ties to even, and keeps NaN', () => {
    expect(floatToBfloat16(1 + 2 ** -8)).toBe(0x3f80);
    expect(floatToBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(floatToBfloat16(1 + 2 ** -8 + 2 ** -12)).toBe(0x3f81);
    expect(bfloat16ToFloat(floatToBfloat16(Number.NaN))).toBeNaN();
  });
});
