// What a greedy run leaves behind, and the Selection made of its first k picks.

import { InvalidBudgetError } from '../errors/index.js';
import type { Selection, SelectionReason, SelectionTimings } from './selection.js';

/** A greedy search's picks and what they reached. */
export interface GreedyRun {
  readonly order: readonly number[];
  /** For each pick, what it added to the objective. */
  readonly gains: readonly number[];
  /** For each coverage term, its name, its value with all tokens, and what each pick added to it, before its weight. */
  readonly terms: readonly {
    readonly name: string;
    readonly full: number;
    readonly added: readonly number[];
  }[];
  /** Standard errors of the coverage of terms with sampled targets, by term. */
  readonly coverageError: Readonly<Record<string, number>>;
  /** The largest gains left after the last pick, highest first, as many as there are free picks. */
  readonly leftGains: readonly number[];
  /** How many of the first picks were must-keeps. */
  readonly included: number;
  /** Whether every other pick had the highest gain of all tokens left, so that its gain bounds all of theirs. */
  readonly steepest: boolean;
  readonly reason: SelectionReason;
}

/** A greedy run and what is known around it. */
export interface GreedyRecord extends GreedyRun {
  readonly candidates: number;
  readonly notes: readonly string[];
  readonly timings: SelectionTimings;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The selection of the first `k` picks of a run. */
export function selectionOf(record: GreedyRecord, k: number): Selection {
  const order = record.order.slice(0, k);
  const gains = record.gains.slice(0, k);
  const value = sum(gains);
  const upperBound = Math.max(value, optimumBound(record, k));
  const isWhole = k === record.order.length;
  return {
    candidates: record.candidates,
    indices: order.toSorted((a, b) => a - b),
    order,
    gains,
    value,
    coverage: Object.fromEntries(
      record.terms.map(({ name, full, added }) => [
        name,
        full > 0 ? Math.min(1, sum(added.slice(0, k)) / full) : 1,
      ]),
    ),
    coverageError: isWhole ? record.coverageError : {},
    upperBound,
    optimality: upperBound > 0 ? value / upperBound : 1,
    reason: isWhole ? record.reason : 'pruned',
    notes: record.notes,
    timings: record.timings,
    prefix(smaller) {
      if (!Number.isInteger(smaller) || smaller < 1 || smaller > k) {
        throw new InvalidBudgetError(
          `prefix(${smaller}); expected a whole number from 1 to ${k}, the tokens kept here`,
        );
      }
      if (smaller < record.included) {
        throw new InvalidBudgetError(
          `prefix(${smaller}); ${record.included} tokens must be kept (constraints.include), so no smaller selection is one`,
        );
      }
      if (record.reason === 'belowBudget' && smaller < k) {
        throw new InvalidBudgetError(
          `prefix(${smaller}); all ${k} tokens were kept without ranking them, so select again with the smaller budget`,
        );
      }
      return selectionOf(record, smaller);
    },
  };
}

/**
 * No set of k candidates (the must-keeps among them) reaches more than the lowest of: F(S_t) plus the sum of the
 * largest gains at S_t, for the sets S_t met on the way. At the end those gains are known; before, each is at most
 * the gain of the next pick, if that was the highest of all (groups and other searches than greedy pass over higher).
 */
function optimumBound({ gains, leftGains, included, order, steepest }: GreedyRecord, k: number): number {
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
