// Weights that official code computed with, under the names of the graphs in src/speed, for tests that compare outputs.

import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { WeightSource } from '../src/speed/weights.js';

/** Weights that official code computed with, by name. */
export type OfficialWeights = Readonly<Record<string, readonly number[]>>;

/** What official code computed, as a script in test/official wrote it. */
export function readGolden<T>(name: 'decoders' | 'mixers'): T {
  return JSON.parse(readFileSync(new URL(`official/${name}-golden.json`, import.meta.url), 'utf8')) as T;
}

/** The number of weights in all tensors. */
export function countWeights(weights: OfficialWeights): number {
  return Object.values(weights).reduce((sum, { length }) => sum + length, 0);
}

/**
 * A source of given weights, of 32 bits. Fails for a tensor with another number of values.
 * @param keyOf the key of a tensor's name. @default the name
 */
export function givenWeights(
  weights: OfficialWeights,
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
export function sixteenthWeights(weights: OfficialWeights): WeightSource {
  const exact = Object.entries(weights).map(([name, values]) => [name, fromSixteenths(values)] as const);
  return givenWeights(Object.fromEntries(exact));
}

/** Expects values to agree in the fourth decimal. */
export function expectClose(actual: Float32Array, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (const [at, value] of actual.entries()) expect(value).toBeCloseTo(expected[at] as number, 4);
}
