// Greedy facility location over a similarity of candidates and targets, which facility location and SCOPE share.

import { argMax } from './ranking.js';
import type { Matrix } from './similarities.js';

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
