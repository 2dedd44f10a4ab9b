// The baseline that every method must beat: tokens drawn at random, repeatably.

import { parseOptions, toMatrix } from '@mmtok/core';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import * as z from 'zod';
import { countTokens, type Selector } from './selector.js';

/** Options of {@link randomSelector}. */
export interface RandomSelectorOptions {
  /** Another seed, other draws. @default 0 */
  readonly seed?: number;
}

const schema = z.strictObject({ seed: z.int().default(0) });

/**
 * Keeps tokens at random, every set equally likely. The draw depends on the seed and on the image's features, not on the
 * order of calls, so an evaluation that is split or resumed keeps the same tokens.
 * @throws InvalidOptionsError for a seed that is no whole number.
 */
export function randomSelector(options: RandomSelectorOptions = {}): Selector {
  const { seed } = parseOptions('options of randomSelector', schema, options);
  return async (input, budget) => {
    const { n, k } = countTokens(input, budget);
    const rng = xoroshiro128plus(seed ^ hash(toMatrix('vision', input.vision).data));
    const tokens = Array.from({ length: n }, (_, token) => token);
    // Fisher and Yates, as far as needed.
    for (let i = 0; i < k; i++) {
      const other = uniformInt(rng, i, n - 1);
      [tokens[i], tokens[other]] = [tokens[other]!, tokens[i]!];
    }
    return tokens.slice(0, k).sort((a, b) => a - b);
  };
}

/** FNV-1a over the bytes of the features. */
function hash(data: Float32Array | Uint16Array): number {
  let state = 0x811c9dc5;
  for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) {
    state = Math.imul(state ^ byte, 0x01000193);
  }
  return state;
}
