// One greedy run over ready matrices: commits picks, keeps the record of what each added.

import type { Eligibility } from '../maximize/eligibility.js';
import { type MaximizeRequest, type Maximizer, targetReached } from '../maximize/maximizer.js';
import { type BonusBlock, WeightedObjective } from '../maximize/objective.js';
import { largestGains } from '../maximize/optimum-bound.js';
import type { Budget } from './budget.js';
import { coverageTarget } from './coverage-target.js';
import type { SelectionTrace } from './selection.js';
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
export function runGreedy(run: HostRun): SelectionTrace {
  const { candidates, matrices, bonuses, budget, eligibility } = run;
  const objective = new WeightedObjective(candidates, matrices, bonuses);
  /** What coverage is measured by: the same matrices, but for terms with sampled targets. */
  const measures = matrices.map((matrix) => matrix.unseen ?? matrix);
  for (const { unseen } of matrices) unseen?.matrix.reset();
  const order: number[] = [];
  const gains: number[] = [];
  const added = matrices.map((): number[] => []);
  let reached = 0;
  const pick = (j: number): number => {
    eligibility.pick(j);
    const { gain, byTerm } = objective.commit(j);
    order.push(j);
    gains.push(gain);
    reached += gain;
    matrices.forEach(({ weight, unseen }, t) => {
      const seen = byTerm[t] as number;
      const measured = unseen === undefined ? seen : addTo(unseen, j);
      added[t]?.push(measured);
      reached += weight * (measured - seen);
    });
    return reached;
  };
  const target =
    'coverage' in budget ? coverageTarget(budget.coverage, measures, bonuses) : Number.POSITIVE_INFINITY;
  for (const j of eligibility.include) pick(j);
  const included = order.length;
  const request: MaximizeRequest = {
    budget: Math.min(run.atMost, candidates) - included,
    target,
    minimum: run.atLeast - included,
    eligibility,
    pick,
  };
  const bounds = targetReached(request, 0, reached)
    ? objective.initialBounds()
    : run.maximizer.maximize(objective, request);
  const free = order.length - included;
  const left = Array.from({ length: candidates }, (_, j) => j).filter((j) => eligibility.isLeft(j));
  return {
    order,
    gains,
    terms: measures.map(({ term, full }, t) => ({ name: term.name, full, added: added[t] as number[] })),
    coverageError: Object.fromEntries(
      measures.flatMap((measure) =>
        measure.term.sample ? [[measure.term.name, standardError(measure)]] : [],
      ),
    ),
    leftGains: largestGains(objective, left, bounds, free),
    included,
    steepest: run.maximizer.steepest === true && !eligibility.isGrouped,
    reason: reached >= target ? 'coverageReached' : order.length < run.atMost ? 'allSelectable' : 'pruned',
  };
}

/** Adds candidate `j` and returns what that covers. */
function addTo({ matrix }: TermMatrix, j: number): number {
  const added = matrix.gain(j);
  matrix.cover(j);
  return added;
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
