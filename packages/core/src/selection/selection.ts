// The result of a selection: what was kept, in which order, how good it is, and every smaller selection within it.

/** Why a selection is as it is. */
export type SelectionReason =
  /** The budget was spent. */
  | 'pruned'
  /** The asked coverage was reached. */
  | 'coverageReached'
  /** There were no more candidates than the budget, so all were kept and nothing was computed (gains is empty, value 0). */
  | 'belowBudget'
  /** Constraints left fewer candidates than the budget: all of those were kept. */
  | 'allSelectable';

/** Where the time of a selection went, in milliseconds. */
export interface SelectionTimings {
  /** Similarity matrices on the backend. 0 where a prepared image had them already. */
  readonly similarityMs: number;
  /** The greedy search. */
  readonly maximizeMs: number;
  /** The whole call. */
  readonly totalMs: number;
}

/** The vision tokens to keep. */
export interface Selection {
  /** How many vision tokens there were. */
  readonly candidates: number;
  /** Kept tokens, ascending: gather rows by these. */
  readonly indices: readonly number[];
  /** Kept tokens in the order of the picks, the most useful first (must-keeps before all). */
  readonly order: readonly number[];
  /** What each pick added to the objective, in the order of the picks. */
  readonly gains: readonly number[];
  /** The objective reached: the sum of the gains. */
  readonly value: number;
  /**
   * For each coverage term, the share of what all tokens together cover that the kept ones cover, in [0, 1]. Of a term
   * with sampled targets an estimate, from as many targets drawn anew.
   */
  readonly coverage: Readonly<Record<string, number>>;
  /**
   * For each coverage term with sampled targets, the standard error of its {@link coverage} as an estimate of that of
   * all targets. Known for the whole selection, not for prefixes.
   */
  readonly coverageError: Readonly<Record<string, number>>;
  /** No set of this size that meets the same constraints has a higher value than this. */
  readonly upperBound: number;
  /** value / upperBound in [0, 1]: this selection is at least that close to the best one. */
  readonly optimality: number;
  readonly reason: SelectionReason;
  /** What a caller should know, in words, e.g. that a term was left out for want of text. */
  readonly notes: readonly string[];
  readonly timings: SelectionTimings;
  /**
   * The selection for a smaller budget: greedy is nested, so its first k picks are the selection for k tokens (with
   * groups, only if their minima are met by then; a stochastic search is not nested).
   * @throws InvalidBudgetError unless 1 ≤ k ≤ the number of kept tokens, for fewer than the must-keeps, and for a smaller
   * k where nothing was ranked (reason `'belowBudget'`).
   */
  prefix(k: number): Selection;
}
