import { halfToFloat } from '@mmtok/core/internal';
import { describe, expect, it } from 'vitest';
import { floatToHalf } from './half.js';

describe('floatToHalf', () => {
  it('gives back every half-precision number', () => {
    for (let half = 0; half < 65536; half++) {
      const number = halfToFloat(half);
      if (!Number.isNaN(number)) expect(floatToHalf(number)).toBe(half);
    }
    expect(halfToFloat(floatToHalf(Number.NaN))).toBeNaN();
  });

  it('rounds to the nearest, ties to even, and overflows to infinity', () => {
    expect(floatToHalf(1 + 2 ** -11)).toBe(0x3c00);
    expect(floatToHalf(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(floatToHalf(1 + 2 ** -11 + 2 ** -20)).toBe(0x3c01);
    expect(floatToHalf(2 ** -25)).toBe(0);
    expect(floatToHalf(3 * 2 ** -25)).toBe(2);
    expect(floatToHalf(65519)).toBe(0x7bff);
    expect(floatToHalf(65520)).toBe(0x7c00);
    expect(floatToHalf(-1e6)).toBe(0xfc00);
  });
});
