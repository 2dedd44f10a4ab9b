// Seeded random numbers, and samples of targets: which to draw, how to weigh them, and the standard error of estimates from them.

import { sum } from '../internal/rows.js';

/** mulberry32, the generator of all packages: numbers in [0, 1), for a seed the same on every machine. Not for cryptography. */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Moves `count` random items to the front of `items`; all sets are equally likely (Fisher and Yates). */
export function shuffleFront(items: Int32Array, count: number, random: () => number): void {
  for (let i = 0; i < Math.min(count, items.length - 1); i++) {
    const other = i + Math.floor(random() * (items.length - i));
    const item = items[i] as number;
    items[i] = items[other] as number;
    items[other] = item;
  }
}

/** Drawn targets. */
export interface Draw {
  /** Which targets, ascending; a target may be drawn several times. */
  readonly indices: Int32Array;
  /** Weights that make the drawn targets represent all targets on average. */
  readonly factors: Float32Array;
}

/** `count` of `candidates` targets without replacement; all sets are equally likely. */
export function drawEvenly(candidates: number, count: number, seed: number): Draw {
  const all = Int32Array.from({ length: candidates }, (_, j) => j);
  shuffleFront(all, count, createRandom(seed));
  const indices = all.slice(0, count).sort();
  return { indices, factors: new Float32Array(count).fill(candidates / count) };
}

/**
 * `count` targets with replacement. Half of the draws are uniform; in the other half a target's chance is proportional to
 * `importance`, so that heavy targets are seen that a uniform sample would miss.
 */
export function drawByImportance(importance: Float64Array, count: number, seed: number): Draw {
  const n = importance.length;
  const total = sum(importance);
  const chance = (j: number): number =>
    total > 0 ? 0.5 / n + (0.5 * (importance[j] as number)) / total : 1 / n;
  const random = createRandom(seed);
  // Stratified: one draw in each of `count` equal parts of [0, 1), which is more even than independent draws.
  const indices = new Int32Array(count);
  let below = 0;
  let j = 0;
  for (let i = 0; i < count; i++) {
    const point = (i + random()) / count;
    while (j < n - 1 && below + chance(j) <= point) below += chance(j++);
    indices[i] = j;
  }
  return { indices, factors: Float32Array.from(indices, (drawn) => 1 / (count * chance(drawn))) };
}

/**
 * The expected weight of each target, from a uniform sample of affinities `[n, drawn]`. A target's affinities are divided by their
 * sum, so one that resembles few others has a large weight. A drawn target's affinity to itself is ignored.
 * @param weights `[drawn]`: the factors of the columns, which are divided out.
 */
export function rarity(
  affinity: Float32Array,
  weights: Float32Array,
  { indices }: Draw,
  candidates: number,
): Float64Array {
  const drawn = indices.length;
  const inverse = Float64Array.from(weights, (weight) => (weight > 0 ? 1 / weight : 0));
  const own = new Int32Array(candidates).fill(-1);
  indices.forEach((target, i) => {
    own[target] = i;
  });
  return Float64Array.from({ length: candidates }, (_, j) => {
    let resemblance = 0;
    const row = j * drawn;
    for (let i = 0; i < drawn; i++) resemblance += (affinity[row + i] as number) * (inverse[i] as number);
    const self = own[j] as number;
    let others = drawn;
    let scale = 1;
    if (self >= 0) {
      scale = (affinity[row + self] as number) * (inverse[self] as number);
      resemblance -= scale;
      others--;
    }
    const mean = others > 0 ? Math.max(0, resemblance) / others : 0;
    return 1 / ((scale > 0 ? scale : 1) + mean * (candidates - 1));
  });
}

/**
 * The standard error of Σ best / Σ peak over drawn targets as an estimate of the same ratio over all targets: that of a ratio
 * estimator (Cochran 1977, §6.4), widened by what a sample of this size cannot rule out: a small, quite differently covered share
 * from which nothing was drawn.
 */
export function standardError(best: ArrayLike<number>, peak: ArrayLike<number>): number {
  const total = sum(peak);
  const drawn = peak.length;
  if (!(total > 0)) return 0;
  const ratio = sum(best) / total;
  let residuals = 0;
  let squares = 0;
  for (let i = 0; i < drawn; i++) {
    residuals += ((best[i] as number) - ratio * (peak[i] as number)) ** 2;
    squares += (peak[i] as number) ** 2;
  }
  const sampling = (residuals * drawn) / Math.max(1, drawn - 1) / total ** 2;
  // The equivalent number of equally weighted draws (Kish 1965). A share of 3 / draws or more appears in 95 of 100 samples; 1.96
  // standard errors should span it.
  const effective = total ** 2 / squares;
  return Math.sqrt(sampling + (1.53 / effective) ** 2);
}
