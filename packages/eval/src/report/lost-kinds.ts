// Where it matters to say no: kinds of question that no method answers at a budget as well as all tokens do.

import type { Interval } from '../stats/paired-bootstrap.js';
import { budgetsOf, type RunSummary, type SummaryRow } from './summarize-run.js';

/** What a report calls them. */
export const LOST_KINDS_TITLE = 'Kinds of question that every method loses';

/** A kind of question that every method loses at a budget, beyond the noise. */
export interface LostKind {
  readonly kind: string;
  readonly budget: string;
  readonly questions: number;
  /** Mean score with all tokens, from 0 to 1. */
  readonly full: number;
  /** The method that loses least, its score, and that minus the score with all tokens. */
  readonly best: { readonly row: SummaryRow; readonly score: number; readonly difference: Interval };
}

/**
 * The kinds of question of which every method's score is below that with all tokens, with 95 % confidence each, budget by budget.
 * A kind that is absent may still lose: there may be too few questions to tell.
 */
export function lostKinds(summary: RunSummary): LostKind[] {
  const { rows, full } = summary;
  return full.kinds.flatMap(({ kind, score: fullScore, questions }) =>
    budgetsOf(summary).flatMap((budget): LostKind[] => {
      const own = rows
        .filter((row) => row.budget === budget)
        .flatMap((row) => {
          const found = row.kinds.find((one) => one.kind === kind);
          return found?.difference === undefined ? [] : [{ row, ...found, difference: found.difference }];
        });
      const [best] = own.toSorted((a, b) => b.score - a.score);
      if (best === undefined || !own.every(({ difference }) => difference.high < 0)) return [];
      const { row, score, difference } = best;
      return [{ kind, budget, questions, full: fullScore, best: { row, score, difference } }];
    }),
  );
}
