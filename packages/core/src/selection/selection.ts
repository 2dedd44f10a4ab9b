// The result of a selection as plain data: what was kept, in which order, how good it is, and all smaller selections.

import { InvalidBudgetError, messageOf } from '../errors.js';
import { sum } from '../internal/rows.js';

/** Why a selection ended. */
export type SelectionReason =
  /** The budget was used up. */
  | 'pruned'
  /** The requested coverage was reached. */
  | 'coverageReached'
  /** The budget covers all vision tokens: all were kept and nothing was computed (`gains` is empty, `value` 0). */
  | 'belowBudget'
  /** Constraints left fewer vision tokens than the budget: all of those were kept. */
  | 'allSelectable';

/** Timings of a selection, in milliseconds. */
export interface SelectionTimings {
  /** Similarity matrices on the backend. 0 if a prepared image already had them. */
  readonly similarityMs: number;
  /** The search. */
  readonly maximizeMs: number;
  /** The whole call. */
  readonly totalMs: number;
}

/** The search behind a selection, pick by pick: what {@link prefix} needs. */
export interface SelectionTrace {
  /** All picks, in order. */
  readonly order: readonly number[];
  /** What each pick added to the objective. Empty if nothing was ranked. */
  readonly gains: readonly number[];
  /** Each coverage term: its name, its value with all tokens, and what each pick added to it before weighting. */
  readonly terms: readonly {
    readonly name: string;
    readonly full: number;
    readonly added: readonly number[];
  }[];
  /** Standard errors of the coverage of sampled terms, by term, after the last pick. */
  readonly coverageError: Readonly<Record<string, number>>;
  /** The largest gains left after the last pick, highest first, as many as there are picks besides the must-keeps. */
  readonly leftGains: readonly number[];
  /** Number of must-keeps, which are the first picks. */
  readonly included: number;
  /** Whether every other pick had the highest gain of all remaining tokens, so that its gain bounds theirs. */
  readonly steepest: boolean;
  readonly reason: SelectionReason;
}

/** The vision tokens to keep, as plain data: it can be cloned, posted to a worker and serialized as JSON. */
export interface Selection {
  /** Number of vision tokens. */
  readonly visionTokens: number;
  /** Kept tokens, ascending. Gather rows by these. */
  readonly indices: readonly number[];
  /** Kept tokens in pick order, most useful first (must-keeps before all). */
  readonly order: readonly number[];
  /** What each pick added to the objective, in pick order. */
  readonly gains: readonly number[];
  /** The objective reached: the sum of the gains. */
  readonly value: number;
  /**
   * For each coverage term, the coverage of the kept tokens relative to that of all tokens, in [0, 1]. An estimate for terms with
   * sampled targets, see {@link coverageError}.
   */
  readonly coverage: Readonly<Record<string, number>>;
  /**
   * For each coverage term with sampled targets, the standard error of its {@link coverage}. Known only for the whole selection, not
   * for its prefixes.
   */
  readonly coverageError: Readonly<Record<string, number>>;
  /** An upper bound of the value of any set of this size under the same constraints. */
  readonly upperBound: number;
  /** value / upperBound in [0, 1]: this selection is at least this close to the optimum. */
  readonly optimality: number;
  readonly reason: SelectionReason;
  /** Human-readable notes, e.g. that a term was skipped because no text was given. */
  readonly notes: readonly string[];
  readonly timings: SelectionTimings;
  /** The whole search, for {@link prefix}. */
  readonly trace: SelectionTrace;
}

/** A search with its context. */
export interface SelectionRecord {
  readonly trace: SelectionTrace;
  readonly visionTokens: number;
  readonly notes: readonly string[];
  readonly timings: SelectionTimings;
}

/** The selection of the first `k` picks of a search. */
export function selectionOf(record: SelectionRecord, k: number = record.trace.order.length): Selection {
  const { trace, visionTokens, notes, timings } = record;
  const order = trace.order.slice(0, k);
  const gains = trace.gains.slice(0, k);
  const value = sum(gains);
  const upperBound = Math.max(value, optimumBound(trace, k));
  const isWhole = k === trace.order.length;
  return {
    visionTokens,
    indices: order.toSorted((a, b) => a - b),
    order,
    gains,
    value,
    coverage: Object.fromEntries(
      trace.terms.map(({ name, full, added }) => [
        name,
        full > 0 ? Math.min(1, sum(added.slice(0, k)) / full) : 1,
      ]),
    ),
    coverageError: isWhole ? trace.coverageError : {},
    upperBound,
    optimality: upperBound > 0 ? value / upperBound : 1,
    reason: isWhole ? trace.reason : 'pruned',
    notes,
    timings,
    trace,
  };
}

/**
 * The selection for a smaller budget. Greedy is nested: its first k picks are the selection for k tokens (with groups, only if their
 * minima are met by then; a stochastic search is not nested).
 * @throws InvalidBudgetError unless 1 ≤ k ≤ the number of kept tokens, if k is below the number of must-keeps, or if nothing was
 * ranked (reason `'belowBudget'`).
 *
 * @example
 * const selection = await selectTokens({ backend, vision, text, budget: { tokens: 64 } });
 * const { indices } = prefix(selection, 16);
 */
export function prefix(selection: Selection, k: number): Selection {
  const kept = selection.order.length;
  const { trace } = selection;
  if (!Number.isInteger(k) || k < 1 || k > kept) {
    throw new InvalidBudgetError(
      `prefix of ${messageOf(k)} tokens; expected a whole number from 1 to ${kept}, the tokens kept`,
    );
  }
  if (k < trace.included) {
    throw new InvalidBudgetError(
      `prefix of ${k} tokens, but ${trace.included} must be kept (constraints.include)`,
    );
  }
  if (trace.reason === 'belowBudget' && k < kept) {
    throw new InvalidBudgetError(
      `prefix of ${k} tokens, but all ${kept} were kept without ranking them; select again with the smaller budget`,
    );
  }
  return selectionOf(selection, k);
}

/**
 * An upper bound for sets of k candidates that contain the must-keeps: the lowest of F(S_t) plus the sum of the largest gains at S_t,
 * over the sets S_t along the way. At the end those gains are known; earlier, each is at most the gain of the next pick if that
 * was the highest of all (with groups, and in searches other than greedy, it may not be).
 */
function optimumBound({ gains, leftGains, included, order, steepest }: SelectionTrace, k: number): number {
  const free = Math.max(0, k - included);
  let bound = sum(gains) + sum(leftGains.slice(0, free));
  if (!steepest) return bound;
  let reached = sum(gains.slice(0, included));
  for (let t = included; t < order.length; t++) {
    bound = Math.min(bound, reached + free * (gains[t] as number));
    reached += gains[t] as number;
  }
  return bound;
}
