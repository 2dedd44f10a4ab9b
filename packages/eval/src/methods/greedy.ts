// Rankings, and the searches that several methods share: max-min distance and determinants. Ties go to the lowest index.

import type { Matrix } from './matrices.js';

/** The index of the highest score among those accepted by `isFree`; -1 if there are none. */
export function argMax(scores: ArrayLike<number>, isFree: (index: number) => boolean = () => true): number {
  let best = -1;
  for (let i = 0; i < scores.length; i++) {
    if (isFree(i) && (best < 0 || scores[i]! > scores[best]!)) best = i;
  }
  return best;
}

/** All indices, highest score first. */
export function descending(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

// Max-min search, shared by DivPrune, Cen-Prune, and farthest-point sampling: repeatedly picks the token farthest from all picks.

/** Options of a max-min search. */
export interface MaxMinOptions {
  /** The first pick. @default the token whose nearest neighbor is farthest */
  readonly first?: number;
  /** Factor on each candidate's distance. @default 1 */
  readonly weights?: Float64Array;
}

/** Picks k tokens, each with the largest distance (1 − cosine, times its weight) to the nearest pick. */
export function maxMin({ data, rows: n }: Matrix, k: number, options: MaxMinOptions = {}): number[] {
  const { weights = new Float64Array(n).fill(1) } = options;
  const picks: number[] = [];
  const isPicked = new Uint8Array(n);
  const nearest = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const pick = (token: number): void => {
    picks.push(token);
    isPicked[token] = 1;
    for (let j = 0; j < n; j++) nearest[j] = Math.min(nearest[j]!, 1 - data[token * n + j]!);
  };
  pick(options.first ?? argMax(neighborDistances(data, n).map((distance, j) => distance * weights[j]!)));
  while (picks.length < k) {
    pick(
      argMax(
        nearest.map((distance, j) => distance * weights[j]!),
        (j) => isPicked[j] === 0,
      ),
    );
  }
  return picks;
}

/** The distance of each token to its nearest neighbor: the second smallest distance, as the smallest is to itself. */
function neighborDistances(data: Float32Array, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, j) => {
    let least = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    for (let i = 0; i < n; i++) {
      const distance = 1 - data[i * n + j]!;
      if (distance < least) [least, second] = [distance, least];
      else if (distance < second) second = distance;
    }
    return n > 1 ? second : least;
  });
}

// Greedy MAP inference for a determinantal point process, shared by CDPruner and OTPrune.

/** A symmetric, positive semi-definite matrix of `size` rows. */
export interface Kernel {
  readonly size: number;
  at(i: number, j: number): number;
}

/** Gains below this share of the largest first gain are rounding errors. */
const RANK_TOLERANCE = 1e-7;

/**
 * Picks k items, each the one that most increases the determinant of the picked submatrix (Chen, Zhang and Zhou 2018,
 * https://arxiv.org/abs/1709.05135). Once the kernel's rank is exhausted, picks follow `rest`.
 */
export function greedyDeterminant({ size: n, at }: Kernel, k: number, rest: readonly number[]): number[] {
  const gains = Float64Array.from({ length: n }, (_, i) => at(i, i));
  const floor = RANK_TOLERANCE * gains.reduce((most, gain) => Math.max(most, gain), 0);
  const factors: Float64Array[] = [];
  const picks: number[] = [];
  while (picks.length < k) {
    const j = argMax(gains);
    const gain = gains[j]!;
    if (!(gain > floor)) break;
    const root = Math.sqrt(gain);
    const row = new Float64Array(n);
    for (let i = 0; i < n; i++) row[i] = at(j, i);
    for (const factor of factors) {
      const own = factor[j]!;
      for (let i = 0; i < n; i++) row[i]! -= own * factor[i]!;
    }
    for (let i = 0; i < n; i++) {
      row[i]! /= root;
      gains[i]! -= row[i]! ** 2;
    }
    gains[j] = Number.NEGATIVE_INFINITY;
    factors.push(row);
    picks.push(j);
  }
  const picked = new Set(picks);
  return [...picks, ...rest.filter((i) => !picked.has(i))].slice(0, k);
}
