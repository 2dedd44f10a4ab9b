// The baseline that every method must beat: tokens drawn at random, repeatably.

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { defineMethod } from './define-method.js';
import type { Selector } from './selector.js';

/** Every set of k tokens is equally likely; the input's seed decides. */
export const random: Selector = defineMethod({
  name: 'random',
  title: 'Random',
  source: 'https://en.wikipedia.org/wiki/Fisher%E2%80%93Yates_shuffle',
  select({ vision, seed }, k) {
    const n = vision.dims[0] as number;
    const rng = xoroshiro128plus(seed);
    const tokens = Array.from({ length: n }, (_, token) => token);
    for (let i = 0; i < k; i++) {
      const other = uniformInt(rng, i, n - 1);
      [tokens[i], tokens[other]] = [tokens[other]!, tokens[i]!];
    }
    return tokens.slice(0, k);
  },
});
