// A search over ready matrices: commits picks, checks them, and records what each added.

import { InvalidSelectionError, MmtokError, messageOf } from '../errors.js';
import { sum } from '../internal/rows.js';
import type { Eligibility } from '../search/eligibility.js';
import { type BonusBlock, WeightedObjective } from '../search/objective.js';
import { standardError } from '../search/sampling.js';
import { largestGains, type MaximizeRequest, type Maximizer, targetReached } from '../search/search.js';
import type { ResolvedBudget } from './options.js';
import type { SelectionTrace } from './selection.js';
import type { TermMatrix } from './term-matrix.js';

/** Inputs of every search. */
export interface SearchInputs {
  readonly candidates: number;
  readonly bonuses: readonly BonusBlock[];
  readonly budget: ResolvedBudget;
  readonly eligibility: Eligibility;
}

/** Inputs of {@link searchOnHost}. */
export interface HostSearch extends SearchInputs {
  readonly matrices: readonly TermMatrix[];
  readonly maximizer: Maximizer;
}

/** The value at which a budget's target is met; infinite if there is none. */
export function targetValue(
  { target }: ResolvedBudget,
  terms: readonly { readonly weight: number; readonly full: number }[],
  bonuses: readonly BonusBlock[],
): number {
  if (target === undefined) return Number.POSITIVE_INFINITY;
  const covered = sum(terms.map(({ weight, full }) => weight * full));
  const added = sum(bonuses.map(({ weight, bonus }) => weight * sum(bonus)));
  // Due to rounding, the sum of all gains may be slightly below the value computed at once.
  return target * (covered + added) * (1 - 1e-6);
}

/**
 * Maximizes the objective and measures the result.
 * @throws InvalidSelectionError if the maximizer picks anything but distinct, eligible candidates, or too few of them.
 */
export function searchOnHost(search: HostSearch): SelectionTrace {
  const { candidates, matrices, bonuses, budget, eligibility, maximizer } = search;
  const objective = new WeightedObjective(candidates, matrices, bonuses);
  /** What coverage is measured on: the same matrices, except for terms with sampled targets. */
  const measures = matrices.map((matrix) => matrix.unseen ?? matrix);
  for (const { unseen } of matrices) unseen?.matrix.reset();
  const order: number[] = [];
  const gains: number[] = [];
  const added = matrices.map((): number[] => []);
  let reached = 0;
  const commit = (j: number): number => {
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
  const target = targetValue(budget, measures, bonuses);
  for (const j of eligibility.include) commit(j);
  const included = order.length;
  const limit = Math.min(budget.max, candidates) - included;
  const request: MaximizeRequest = {
    budget: limit,
    target,
    minimum: budget.min - included,
    eligibility,
    pick: (j) => {
      const problem = wrongPick(j, candidates, eligibility, order.length - included < limit);
      if (problem !== undefined) throw new InvalidSelectionError(`maximizer '${nameOf(maximizer)}'`, problem);
      return commit(j);
    },
  };
  const bounds = targetReached(request, 0, reached)
    ? objective.initialBounds()
    : runMaximizer(maximizer, objective, request);
  if (order.length - included < limit && reached < target) {
    let missed = 0;
    while (missed < candidates && !eligibility.allows(missed)) missed++;
    if (missed < candidates) {
      throw new InvalidSelectionError(
        `maximizer '${nameOf(maximizer)}'`,
        `it picked ${order.length - included} of ${limit} candidates and stopped, though candidate ${missed} may be picked`,
      );
    }
  }
  const left: number[] = [];
  for (let j = 0; j < candidates; j++) if (eligibility.isLeft(j)) left.push(j);
  return {
    order,
    gains,
    terms: measures.map(({ term, full }, t) => ({ name: term.name, full, added: added[t] as number[] })),
    coverageError: Object.fromEntries(
      matrices.flatMap(({ term, unseen, matrix }) => {
        if (term.sample === undefined) return [];
        const isExact = unseen === undefined || matrix.targets === candidates;
        return [[term.name, isExact ? 0 : standardError(unseen.matrix.best, unseen.peak)]];
      }),
    ),
    leftGains: largestGains(objective, left, bounds, order.length - included),
    included,
    steepest: maximizer.steepest === true && !eligibility.isGrouped,
    reason: reached >= target ? 'coverageReached' : order.length < budget.max ? 'allSelectable' : 'pruned',
  };
}

const nameOf = ({ name }: Maximizer): string => (typeof name === 'string' ? name : 'custom');

/** Why `j` may not be picked now; undefined if it may. */
function wrongPick(
  j: number,
  candidates: number,
  eligibility: Eligibility,
  isBudgetLeft: boolean,
): string | undefined {
  if (!Number.isInteger(j) || j < 0 || j >= candidates) {
    return `it picked ${messageOf(j)}, expected a candidate from 0 to ${candidates - 1}`;
  }
  if (!isBudgetLeft) return `it picked candidate ${j} after the budget was spent`;
  if (eligibility.allows(j)) return undefined;
  return eligibility.isLeft(j)
    ? `it picked candidate ${j}, which its group or the minima of other groups forbid`
    : `it picked candidate ${j}, which is excluded or was picked before`;
}

function runMaximizer(
  maximizer: Maximizer,
  objective: WeightedObjective,
  request: MaximizeRequest,
): Float64Array {
  const name = nameOf(maximizer);
  let bounds: unknown;
  try {
    bounds = maximizer.maximize(objective, request);
  } catch (cause) {
    if (MmtokError.isInstance(cause)) throw cause;
    throw new InvalidSelectionError(`maximizer '${name}'`, `it failed: ${messageOf(cause)}`, { cause });
  }
  if (bounds instanceof Float64Array && bounds.length === objective.candidates) return bounds;
  throw new InvalidSelectionError(
    `maximizer '${name}'`,
    `expected maximize() to return a Float64Array of ${objective.candidates} bounds, one per candidate` +
      (bounds instanceof Promise ? '; it returned a promise, but a maximizer is synchronous' : ''),
  );
}

/** Adds candidate `j` and returns the resulting coverage. */
function addTo({ matrix }: TermMatrix, j: number): number {
  const added = matrix.gain(j);
  matrix.cover(j);
  return added;
}
