// Controls that every pruning method must beat: random tokens, tokens spread evenly over the image, and a smaller image.

import { createRandom, shuffleFront } from '@mmtok/core/internal';
import { MethodError } from '../errors.js';
import { defineMethod, type Method } from './method.js';

// Random tokens, reproducible: what every method must beat.

/** All sets of k tokens are equally likely. The request's seed decides. */
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

// Tokens spread evenly over the image: in the middle of cells, or at random within them.

/**
 * Divides the grid into k cells, as square as possible, and keeps the token in the middle of each. Without a grid, divides the
 * sequence.
 */
export const uniform: Method = defineMethod({
  name: 'uniform',
  title: 'Uniform grid',
  source: 'https://en.wikipedia.org/wiki/Stratified_sampling',
  select({ vision, grid }, { tokens: k }) {
    const n = vision.dims[0] as number;
    return grid !== undefined && grid[0] * grid[1] === n ? overGrid(grid, k, middle) : within(n, k, middle);
  },
});

/** Divides the image like {@link uniform} and draws one token per cell. The request's seed decides. */
export const stratified: Method = defineMethod({
  name: 'stratified',
  title: 'Stratified random',
  source: 'https://en.wikipedia.org/wiki/Stratified_sampling',
  select({ vision, grid }, { tokens: k, seed }) {
    const n = vision.dims[0] as number;
    const random = createRandom(seed);
    const anywhere: Place = (part, count, length) => {
      const start = Math.floor((part * length) / count);
      return start + Math.floor(random() * (Math.floor(((part + 1) * length) / count) - start));
    };
    return grid !== undefined && grid[0] * grid[1] === n
      ? overGrid(grid, k, anywhere)
      : within(n, k, anywhere);
  },
});

/** A position within one of `count` parts of `length` positions. */
type Place = (part: number, count: number, length: number) => number;
const middle: Place = (part, count, length) => Math.floor(((part + 0.5) * length) / count);

/** A position in each of `count` equal parts of `length` positions. */
function within(length: number, count: number, place: Place): number[] {
  return Array.from({ length: count }, (_, part) => place(part, count, length));
}

function overGrid([rows, columns]: readonly [number, number], k: number, place: Place): number[] {
  const square = Math.round(Math.sqrt((k * rows) / columns));
  const cellRows = Math.min(Math.max(square, Math.ceil(k / columns), 1), rows, k);
  return Array.from({ length: cellRows }, (_, i) => {
    const before = Math.floor((i * k) / cellRows);
    const inRow = Math.floor(((i + 1) * k) / cellRows) - before;
    // Adjacent cells have disjoint columns, so no token is picked twice.
    return within(columns, inRow, place).map((column) => place(i, cellRows, rows) * columns + column);
  }).flat();
}

// The control that every pruning method must beat: the same number of vision tokens from a smaller image.

/**
 * Gives the model a smaller image that costs at most as many vision tokens as the other methods keep, and keeps all of them. It
 * saves encoder time as well.
 */
export const resize: Method = {
  name: 'resize',
  title: 'Smaller image',
  source: 'https://arxiv.org/abs/2508.18264',
  needs: ['resolution'],
  resizes: true,
  async select() {
    throw new MethodError('resize', 'it selects no tokens; the runner makes the image smaller instead');
  },
};
