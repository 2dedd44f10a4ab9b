// Weights that official code computed with, under the names of the graphs in src/speed, for tests that compare outputs.

import { expect } from 'vitest';
import type { WeightSource } from '../src/speed/weights.js';

/**
 * A source of given weights, of 32 bits. Fails for a tensor with another number of values.
 * @param keyOf the key of a tensor's name. @default the name
 */
export function givenWeights(
  weights: Readonly<Record<string, readonly number[]>>,
  keyOf: (name: string) => string = (name) => name,
): WeightSource {
  return {
    tensor(name, dtype, dims) {
      const data = Float32Array.from(weights[keyOf(name)] ?? []);
      expect([name, data.length]).toEqual([name, dims.reduce((product, length) => product * length, 1)]);
      expect(dtype).toBe('float32');
      return { name, dtype: 'float32', dims, data };
    },
  };
}

/** Values of test/official/decoders-golden.json, which are stored in sixteenths. */
export function fromSixteenths(values: readonly number[]): number[] {
  return values.map((value) => value / 16);
}

/** A source of weights from test/official/decoders-golden.json. */
export function sixteenthWeights(weights: Readonly<Record<string, readonly number[]>>): WeightSource {
  const exact = Object.entries(weights).map(([name, values]) => [name, fromSixteenths(values)] as const);
  return givenWeights(Object.fromEntries(exact));
}

/** Expects values to agree in the fourth decimal. */
export function expectClose(actual: Float32Array, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (const [at, value] of actual.entries()) expect(value).toBeCloseTo(expected[at] as number, 4);
}
