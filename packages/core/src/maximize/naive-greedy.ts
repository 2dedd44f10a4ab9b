// Greedy as in the textbook: every step evaluates every candidate. The reference for the lazy search.

import { highestGain } from './highest-gain.js';
import { type Maximizer, targetReached } from './maximizer.js';

/**
 * Picks, step by step, the eligible candidate with the highest gain; ties go to the lowest index. Keeps (1 − 1/e) of
 * the best value any set of this size has (Nemhauser, Wolsey, Fisher 1978). O(k · n · targets).
 */
export function naiveGreedy(): Maximizer {
  return {
    name: 'naive',
    steepest: true,
    maximize(objective, request) {
      const { budget, eligibility, pick } = request;
      const bounds = new Float64Array(objective.candidates).fill(Number.POSITIVE_INFINITY);
      let waiting = Int32Array.from({ length: objective.candidates }, (_, j) => j);
      for (let picked = 0; picked < budget; picked++) {
        waiting = waiting.filter((j) => eligibility.allows(j));
        const best = highestGain(objective, waiting, bounds);
        if (best < 0) break;
        const value = pick(best);
        if (targetReached(request, picked + 1, value)) break;
      }
      return bounds;
    },
  };
}
