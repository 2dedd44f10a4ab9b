// Greedy search for the most probable set of a determinantal point process, which CDPruner and OTPrune share.

import { argMax } from './ranking.js';

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
