// The baseline that every method must beat: tokens drawn at random, repeatably.

import { createRandom, shuffleFront } from '@mmtok/core/internal';
import { defineMethod } from './define-method.js';
import type { Method } from './method.js';

/** Every set of k tokens is equally likely; the request's seed decides. */
export const random: Method = defineMethod({
  name: 'random',
  title: 'Random',
  source: 'https://en.wikipedia.org/wiki/Fisher%E2%80%93Yates_shuffle',
  select({ vision }, { tokens, seed }) {
    const n = vision.dims[0] as number;
    const all = Int32Array.from({ length: n }, (_, token) => token);
    shuffleFront(all, tokens, createRandom(seed));
    return [...all.subarray(0, tokens)];
  },
});
