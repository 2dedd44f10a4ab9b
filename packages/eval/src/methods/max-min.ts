// The search that DivPrune, Cen-Prune and farthest-point sampling share: keep picking what is farthest from all picks.

import { argMax } from './ranking.js';
import type { Matrix } from './similarities.js';

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
