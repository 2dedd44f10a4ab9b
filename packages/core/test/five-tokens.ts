// Five vision tokens with three features, and shorthands for tests of coverage terms.

import { expect } from 'vitest';
import { InvalidOptionsError } from '../src/errors.js';
import type { SelectOptions } from '../src/selection/options.js';
import { selectTokens } from '../src/selection/select-tokens.js';
import { backend } from './table-case.js';

export const vision: readonly (readonly number[])[] = [
  [1, 0, 0],
  [0.9, 0.4, 0.1],
  [0, 1, 0.2],
  [0.1, 0.8, 0.9],
  [0, 0.1, 1],
];

export const budget = { tokens: 2 } as const;

/** The value of the objective that a selection of two tokens reaches. */
export async function value(options: Partial<SelectOptions>): Promise<number> {
  return (await selectTokens({ backend, vision, budget, ...options })).value;
}

/** Expects options to be rejected. */
export function rejects(make: () => unknown, message: string | RegExp = ''): void {
  expect(make).toThrow(InvalidOptionsError);
  expect(make).toThrow(message);
}
