// Lazy greedy (Minoux 1978): the picks of naive greedy, to the index, with a small part of its evaluations.

import { CandidateHeap } from './candidate-heap.js';
import { type Maximizer, targetReached } from './maximizer.js';

/**
 * Gains only shrink as candidates are committed, so a gain computed earlier bounds today's from above. The candidates
 * wait in a heap ordered by their last known bound; the top is evaluated anew, and picked once its fresh gain still
 * tops the heap.
 *
 * The indices equal those of naive greedy exactly, in floating point: gains are summed in one fixed order, rounding is
 * monotone, so stale gains remain upper bounds; and equal bounds are ordered by index, which is naive greedy's tie rule.
 */
export function lazyGreedy(): Maximizer {
  return {
    name: 'lazy',
    steepest: true,
    maximize(objective, request) {
      const { budget, eligibility, pick } = request;
      const bounds = objective.initialBounds();
      const waiting: number[] = [];
      for (let j = 0; j < objective.candidates; j++) if (eligibility.allows(j)) waiting.push(j);
      const heap = new CandidateHeap(waiting, bounds);
      // The step in which a candidate's bound was computed; −1: only the initial bound is known.
      const evaluatedAt = new Int32Array(objective.candidates).fill(-1);
      for (let picked = 0; picked < budget; ) {
        const j = heap.top;
        if (j < 0) break;
        if (!eligibility.allows(j)) {
          heap.removeTop();
        } else if (evaluatedAt[j] !== picked) {
          const gain = objective.gain(j);
          bounds[j] = gain;
          evaluatedAt[j] = picked;
          heap.lowerTop(gain);
        } else {
          heap.removeTop();
          const value = pick(j);
          picked++;
          if (targetReached(request, picked, value)) break;
        }
      }
      return bounds;
    },
  };
}
