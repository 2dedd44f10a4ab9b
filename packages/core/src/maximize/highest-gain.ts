// One step of textbook greedy: evaluates candidates and tells the best. Shared by the searches that look at all or at some.

import type { Objective } from './objective.js';

/**
 * The candidate with the highest gain, or −1 if there is none; of equal ones the first in the order given.
 * @param bounds receives the gain of every candidate looked at.
 */
export function highestGain(
  objective: Objective,
  candidates: Iterable<number>,
  bounds: Float64Array,
): number {
  let best = -1;
  let bestGain = Number.NEGATIVE_INFINITY;
  for (const j of candidates) {
    const gain = objective.gain(j);
    bounds[j] = gain;
    if (gain > bestGain) {
      best = j;
      bestGain = gain;
    }
  }
  return best;
}
