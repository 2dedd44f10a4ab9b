// One greedy run over ready matrices: commits picks, keeps the record of what each added.

import type { Eligibility } from '../maximize/eligibility.js';
import { type MaximizeRequest, type Maximizer, targetReached } from '../maximize/maximizer.js';
import { type BonusBlock, WeightedObjective } from '../maximize/objective.js';
import { largestGains } from '../maximize/optimum-bound.js';
import type { Budget } from './budget.js';
import { coverageTarget } from './coverage-target.js';
import type { GreedyRun } from './greedy-record.js';
import type { TermMatrix } from './term-matrix.js';

/** What {@link runGreedy} takes. */
export interface HostRun {
  readonly candidates: number;
  readonly matrices: readonly TermMatrix[];
  readonly bonuses: readonly BonusBlock[];
  readonly budget: Budget;
  readonly atMost: number;
  readonly atLeast: number;
  readonly eligibility: Eligibility;
  readonly maximizer: Maximizer;
}

/** Maximizes the objective and measures what was reached. */
export function runGreedy(run: HostRun): GreedyRun {
  const { candidates, matrices, bonuses, budget, eligibility } = run;
  const objective = new WeightedObjective(candidates, matrices, bonuses);
  const order: number[] = [];
  const gains: number[] = [];
  const added = matrices.map((): number[] => []);
  let value = 0;
  const pick = (j: number): number => {
    eligibility.pick(j);
    const { gain, byTerm } = objective.commit(j);
    added.forEach((list, t) => {
      list.push(byTerm[t] as number);
    });
    order.push(j);
    gains.push(gain);
    value += gain;
    return value;
  };
  const target =
    'coverage' in budget ? coverageTarget(budget.coverage, matrices, bonuses) : Number.POSITIVE_INFINITY;
  for (const j of eligibility.include) pick(j);
  const included = order.length;
  const request: MaximizeRequest = {
    budget: Math.min(run.atMost, candidates) - included,
    target,
    minimum: run.atLeast - included,
    eligibility,
    pick,
  };
  const bounds = targetReached(request, 0, value)
    ? objective.initialBounds()
    : run.maximizer.maximize(objective, request);
  const free = order.length - included;
  const left = Array.from({ length: candidates }, (_, j) => j).filter((j) => eligibility.isLeft(j));
  return {
    order,
    gains,
    terms: matrices.map(({ term, full }, t) => ({ name: term.name, full, added: added[t] as number[] })),
    coverageError: Object.fromEntries(
      matrices.flatMap((matrix) => (matrix.term.sample ? [[matrix.term.name, standardError(matrix)]] : [])),
    ),
    leftGains: largestGains(objective, left, bounds, free),
    included,
    steepest: run.maximizer.steepest === true && !eligibility.isGrouped,
    reason: value >= target ? 'coverageReached' : order.length < run.atMost ? 'allSelectable' : 'pruned',
  };
}

/**
 * Standard error of a term's coverage, Σ best / Σ peak over r drawn of n targets, as an estimate of the same ratio
 * over all n: that of a ratio estimator under sampling without replacement (Cochran 1977, §6.4).
 */
function standardError({ matrix, peak }: TermMatrix): number {
  const { best, targets: r, candidates: n } = matrix;
  if (r < 2) return r === n ? 0 : Number.POSITIVE_INFINITY;
  const total = peak.reduce((sum, value) => sum + value, 0);
  const ratio = best.reduce((sum, value) => sum + value, 0) / total;
  const residuals = best.reduce((sum, value, i) => sum + (value - ratio * (peak[i] as number)) ** 2, 0);
  return (Math.sqrt(((1 - r / n) * (residuals / (r - 1))) / r) * r) / total;
}
