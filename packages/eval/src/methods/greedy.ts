// Searches that several methods share: ranking, greedy facility location, max-min distance, and determinants. Ties go to the lowest
// index.

import type { Matrix } from './matrices.js';

// Picking by scores: the highest, and the order from the highest down. Ties go to the lowest index everywhere.

/** The index of the highest score among those that `isFree` lets through; -1 if it lets none. */
export function argMax(scores: ArrayLike<number>, isFree: (index: number) => boolean = () => true): number {
  let best = -1;
  for (let i = 0; i < scores.length; i++) {
    if (isFree(i) && (best < 0 || scores[i]! > scores[best]!)) best = i;
  }
  return best;
}

/** All indices, from the highest score down. */
export function descending(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Scores moved to the range from 0 to 1; all 1 where they are all the same. */
export function minMax(scores: Float64Array, epsilon = 0): Float64Array {
  const low = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const high = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  return scores.map((score) => (high > low ? (score - low + epsilon) / (high - low) : 1));
}

// Greedy facility location over a similarity of candidates and targets, which facility location and SCOPE share.

/**
 * Picks k candidates (columns), each the one that raises Σ over targets (rows) of the highest similarity to a pick the
 * most, its gain multiplied by its weight. Similarities below 0 cover nothing.
 */
export function greedyCover(
  { data, rows, columns }: Matrix,
  k: number,
  weights?: ArrayLike<number>,
): number[] {
  const best = new Float64Array(rows);
  const picks: number[] = [];
  const isPicked = new Uint8Array(columns);
  const gains = new Float64Array(columns);
  while (picks.length < k) {
    gains.fill(0);
    for (let i = 0; i < rows; i++) {
      const reached = best[i]!;
      for (let j = 0; j < columns; j++) {
        const more = data[i * columns + j]! - reached;
        if (more > 0) gains[j]! += more;
      }
    }
    if (weights !== undefined) for (let j = 0; j < columns; j++) gains[j]! *= weights[j]!;
    const token = argMax(gains, (j) => isPicked[j] === 0);
    isPicked[token] = 1;
    picks.push(token);
    for (let i = 0; i < rows; i++) best[i] = Math.max(best[i]!, data[i * columns + token]!);
  }
  return picks;
}

// The search that DivPrune, Cen-Prune and farthest-point sampling share: keep picking what is farthest from all picks.

/** How a max-min search begins and weighs. */
export interface MaxMinOptions {
  /** The first pick. @default the token whose nearest neighbour is farthest */
  readonly first?: number;
  /** Factor on each candidate's distance. @default 1 */
  readonly weights?: Float64Array;
}

/** Picks k tokens, each the one with the largest distance 1 − cosine to its nearest pick, times its weight. */
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
  pick(options.first ?? argMax(neighbourDistances(data, n).map((distance, j) => distance * weights[j]!)));
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

/** For each token the second smallest of its distances, its own included: that to its nearest neighbour. */
function neighbourDistances(data: Float32Array, n: number): Float64Array {
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

// Greedy search for the most probable set of a determinantal point process, which CDPruner and OTPrune share.

/** A symmetric, positive semi-definite matrix of n rows by its entries. */
export interface Kernel {
  readonly size: number;
  at(i: number, j: number): number;
}

/** Below this share of the largest first gain a remaining gain is rounding, not volume. */
const RANK_TOLERANCE = 1e-7;

/**
 * Picks k items, each the one that raises the determinant of the picked submatrix most (Chen, Zhang and Zhou 2018,
 * https://arxiv.org/abs/1709.05135). Where the kernel's rank is spent, no item raises it; `rest` orders those items.
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
    const row = Float64Array.from({ length: n }, (_, i) => at(j, i));
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
