// How relevant the parts of an overview are to a question, to rank tiles before they are encoded.

import { InvalidTensorError } from '../errors.js';

/**
 * Standard deviations from which a word counts as standing out, and from which it fully does. Words that name what most of an image
 * shows, or nothing ("describe", "background"), stay below the first; words that name something in a few places exceed the second.
 * Chosen on validation questions of the embedded tiled model.
 */
const NOT_OUTSTANDING = 1.8;
const OUTSTANDING = 2.2;

/** The same as shares of √(n − 1), which no token of n can exceed: they apply if there are few tokens. */
const LEAST_SHARE = 0.7;
const FULL_SHARE = 0.9;

/** Cosines that differ by less are equal but for rounding. */
const LEAST_DEVIATION = 1e-6;

/**
 * The relevance of each overview token to the question, from 0 to 1. For every word, a token's cosine is measured in standard
 * deviations above the word's mean over the overview, and a token counts by the word that stands out most: the mean over words, as in
 * `visionCoverage({ focus })`, would let words that name nothing dilute the one that names something. The result is rescaled, and
 * reduced if no word stands out anywhere, to 0 for all tokens: such a question is about the whole image. Not part of the paper.
 * @param cosines `[tokens, words]` row-major: the cosine of every overview token with every text token of the question.
 * @returns one number per token.
 * @throws InvalidTensorError if the number of cosines is not a multiple of `words`.
 */
export function tileRelevance(cosines: ArrayLike<number>, words: number): Float32Array {
  const tokens = cosines.length / words;
  if (!Number.isInteger(tokens)) {
    throw new InvalidTensorError('cosines', `expected a multiple of ${words} numbers, got ${cosines.length}`);
  }
  const highest = new Float64Array(tokens).fill(Number.NEGATIVE_INFINITY);
  for (let word = 0; word < words; word++) {
    const own = Float64Array.from({ length: tokens }, (_, token) => cosines[token * words + word] as number);
    const mean = own.reduce((sum, cosine) => sum + cosine, 0) / tokens;
    const variance = own.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0) / tokens;
    const deviation = Math.max(Math.sqrt(variance), LEAST_DEVIATION);
    own.forEach((cosine, token) => {
      highest[token] = Math.max(highest[token] as number, (cosine - mean) / deviation);
    });
  }
  const [low, high] = [Math.min(...highest), Math.max(...highest)];
  if (high === low) return new Float32Array(tokens);
  const farthest = Math.sqrt(tokens - 1);
  const none = Math.min(NOT_OUTSTANDING, LEAST_SHARE * farthest);
  const full = Math.min(OUTSTANDING, FULL_SHARE * farthest);
  const strength = Math.min(Math.max((high - none) / (full - none), 0), 1);
  return Float32Array.from(highest, (above) => (strength * (above - low)) / (high - low));
}
