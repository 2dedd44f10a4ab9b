// How good any set could be at most, given what greedy found: a certificate for this very input.

import { CandidateHeap } from './candidate-heap.js';
import type { Objective } from './objective.js';

/**
 * The `count` largest gains, highest first, among `candidates` as the objective stands. For a monotone submodular
 * function, F(best set of size c) ≤ F(S) + the sum of the c largest gains at S (Minoux 1978).
 *
 * @param bounds upper bounds of the gains; entries are overwritten with fresh gains as needed.
 */
export function largestGains(
  objective: Objective,
  candidates: readonly number[],
  bounds: Float64Array,
  count: number,
): number[] {
  const heap = new CandidateHeap(candidates, bounds);
  const isFresh = new Uint8Array(objective.candidates);
  const gains: number[] = [];
  while (gains.length < count) {
    const j = heap.top;
    if (j < 0) break;
    if (isFresh[j] === 1) {
      gains.push(bounds[j] as number);
      heap.removeTop();
    } else {
      const gain = objective.gain(j);
      bounds[j] = gain;
      isFresh[j] = 1;
      heap.lowerTop(gain);
    }
  }
  return gains;
}
