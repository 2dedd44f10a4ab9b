// Stochastic greedy: every step looks at a random part of the candidates. Approximate, for very many tokens.

import * as z from 'zod';
import { parseOptions } from '../internal/parse-options.js';
import { createRandom, shuffleFront } from '../internal/random.js';
import { highestGain } from './highest-gain.js';
import { type Maximizer, targetReached } from './maximizer.js';

/** Options of {@link stochasticGreedy}. */
export interface StochasticGreedyOptions {
  /** The expected value is at least (1 − 1/e − epsilon) of the optimum. @default 0.01 */
  readonly epsilon?: number;
  /** The same seed gives the same picks. @default 0 */
  readonly seed?: number;
}

const schema = z.strictObject({
  epsilon: z.number().gt(0).lt(1).default(0.01),
  seed: z.int().default(0),
});

/**
 * Picks, step by step, the best of (n / k) · ln(1 / epsilon) randomly drawn eligible candidates; ties go to the lowest
 * index. O(n · targets · ln(1 / epsilon)), whatever the budget k; for a coverage budget, whose k is not known before, log k
 * times as much. Not nested: `prefix(k)` is then a greedy order of this
 * run, not the selection a smaller budget would give.
 * @see Mirzasoleiman et al. 2015, https://arxiv.org/abs/1409.7938
 * @throws InvalidOptionsError for an epsilon outside (0, 1).
 */
export function stochasticGreedy(options: StochasticGreedyOptions = {}): Maximizer {
  const { epsilon, seed } = parseOptions('options of stochasticGreedy', schema, options);
  return {
    name: 'stochastic',
    maximize(objective, request) {
      const { budget, target = Number.POSITIVE_INFINITY, eligibility, pick } = request;
      // Where a value is to be reached, nobody knows with how many picks: twice as many as so far is the guess.
      const likely = (picked: number): number =>
        target < Number.POSITIVE_INFINITY ? Math.min(budget, 2 ** Math.ceil(Math.log2(picked + 1))) : budget;
      const rng = createRandom(seed);
      const bounds = objective.initialBounds();
      let waiting = Int32Array.from({ length: objective.candidates }, (_, j) => j);
      for (let picked = 0; picked < budget; picked++) {
        waiting = waiting.filter((j) => eligibility.allows(j));
        if (waiting.length === 0) break;
        const drawn = Math.min(
          waiting.length,
          Math.ceil((objective.candidates / likely(picked)) * Math.log(1 / epsilon)),
        );
        shuffleFront(waiting, drawn, rng);
        const sample = waiting.slice(0, drawn).sort();
        const value = pick(highestGain(objective, sample, bounds));
        if (targetReached(request, picked + 1, value)) break;
      }
      return bounds;
    },
  };
}
