// Controls, which look at no features: random tokens, and tokens spread evenly over the image.

import { createRandom, shuffleFront } from '@mmtok/core/internal';
import { defineMethod, type Method } from './method.js';

// The baseline that every method must beat: tokens drawn at random, repeatably.

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

// Baselines that look at nothing: tokens spread evenly over the picture, in the middles of cells or at random within them.

/**
 * Divides the grid into as many cells as tokens are asked for, as square as that number allows, and keeps the token in
 * the middle of each; without a grid, it divides the sequence.
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

/** Divides the picture as {@link uniform} does, and draws one token from each cell; the request's seed decides. */
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

/** A place within one of `count` parts of `length` places. */
type Place = (part: number, count: number, length: number) => number;
const middle: Place = (part, count, length) => Math.floor(((part + 0.5) * length) / count);

/** A place in each of `count` equal parts of `length` places. */
function within(length: number, count: number, place: Place): number[] {
  return Array.from({ length: count }, (_, part) => place(part, count, length));
}

function overGrid([rows, columns]: readonly [number, number], k: number, place: Place): number[] {
  const square = Math.round(Math.sqrt((k * rows) / columns));
  const cellRows = Math.min(Math.max(square, Math.ceil(k / columns), 1), rows, k);
  return Array.from({ length: cellRows }, (_, i) => {
    const before = Math.floor((i * k) / cellRows);
    const inRow = Math.floor(((i + 1) * k) / cellRows) - before;
    // Cells beside each other have columns of their own, so that no token is picked twice.
    return within(columns, inRow, place).map((column) => place(i, cellRows, rows) * columns + column);
  }).flat();
}
