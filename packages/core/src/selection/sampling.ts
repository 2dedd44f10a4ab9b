// Sampled targets: which to draw, what each then counts, and how far off an estimate from them may be.

import { createRandom, shuffleFront } from '../internal/random.js';
import { sum } from '../internal/rows.js';

/** Drawn targets. */
export interface Draw {
  /** Which targets, ascending; one may be drawn several times. */
  readonly indices: Int32Array;
  /** What each counts, so that on average together they count as all targets do. */
  readonly factors: Float32Array;
}

/** `count` of `candidates` targets without replacement, each set equally likely. */
export function drawEvenly(candidates: number, count: number, seed: number): Draw {
  const all = Int32Array.from({ length: candidates }, (_, j) => j);
  shuffleFront(all, count, createRandom(seed));
  const indices = all.slice(0, count).sort();
  return { indices, factors: new Float32Array(count).fill(candidates / count) };
}

/**
 * `count` targets with replacement. Half of the draws are even; in the other half the chance of a target goes with
 * `importance`, which lets targets that count much be seen where an even sample would miss them.
 */
export function drawByImportance(importance: Float64Array, count: number, seed: number): Draw {
  const n = importance.length;
  const total = sum(importance);
  const chance = (j: number): number =>
    total > 0 ? 0.5 / n + (0.5 * (importance[j] as number)) / total : 1 / n;
  const random = createRandom(seed);
  // One draw in each of `count` equal parts of [0, 1), which spreads them more evenly than chance would.
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
 * How much each target is likely to count, judged from an even sample of affinities `[n, drawn]`: as affinities of a target
 * are divided by their sum, one that resembles few others counts much. What a drawn target has with itself is left out.
 * @param weights `[drawn]`: the factors of the columns, which are taken out again.
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
 * The standard error of Σ best / Σ peak over drawn targets as an estimate of the same ratio over all targets: that of a
 * ratio estimator (Cochran 1977, §6.4), widened by what a sample of this size cannot rule out: a small share of the
 * whole that is covered quite differently and of which nothing was drawn.
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
  // As many draws of equal importance would tell as much (Kish 1965). Of what has a share of 3 / draws or more, something
  // is drawn in 95 of 100 samples; 1.96 standard errors are to cover that share.
  const effective = total ** 2 / squares;
  return Math.sqrt(sampling + (1.53 / effective) ** 2);
}
