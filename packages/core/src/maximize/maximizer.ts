// What a maximizer is: a search for the set of candidates with the highest value. The searches are the sibling files.

import type { Eligibility } from './eligibility.js';
import type { Objective } from './objective.js';

/** What a maximizer is asked for. */
export interface MaximizeRequest {
  /** Pick at most this many candidates. */
  readonly budget: number;
  /** Stop once the value has reached this, if at least `minimum` are picked. @default never */
  readonly target?: number;
  /** @default 0 */
  readonly minimum?: number;
  /** Which candidates may be picked; `include` has been picked by the caller already. */
  readonly eligibility: Eligibility;
  /** Commits a candidate to the objective and records it. Returns the value reached. */
  readonly pick: (j: number) => number;
}

/** A search. Pure towards its inputs but for the picks it makes. */
export interface Maximizer {
  /** Shown in results. */
  readonly name: string;
  /**
   * Whether every pick has the highest gain of all eligible candidates; the bound on the optimum is tighter then.
   * @default false
   */
  readonly steepest?: boolean;
  /**
   * Picks candidates until the budget or the target is reached or nothing is eligible.
   * @returns upper bounds of the gains of the candidates not picked, as far as they are known (`Infinity` where not).
   */
  maximize(objective: Objective, request: MaximizeRequest): Float64Array;
}

/**
 * Whether the search may stop before the budget is spent. Where groups still miss some of their minimum it may not,
 * but from then on nothing else is eligible.
 */
export function targetReached(request: MaximizeRequest, picked: number, value: number): boolean {
  const { target = Number.POSITIVE_INFINITY, minimum = 0, eligibility } = request;
  return value >= target && picked >= minimum && !eligibility.allowOnlyMissing();
}
