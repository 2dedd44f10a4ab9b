// Where methods lose: the kinds of question that suffer most, and what beats MMTok.

import { percent } from './format.js';
import type { RunSummary, SummaryRow } from './summarize-run.js';

/** The kind of question that a method loses most of. */
export interface WorstKind {
  readonly row: SummaryRow;
  readonly kind: string;
  readonly questions: number;
  /** Its score minus its score with all tokens; below 0 where it loses. */
  readonly change: number;
}

/** For each row the kind of question with the largest drop, if any drops. */
export function worstKinds({ rows, full }: RunSummary): WorstKind[] {
  return rows.flatMap((row) => {
    const drops = row.kinds.map(({ kind, score, questions }): WorstKind => {
      const before = full.kinds.find((one) => one.kind === kind)?.score ?? 0;
      return { row, kind, questions, change: score - before };
    });
    const worst = drops.toSorted((a, b) => a.change - b.change)[0];
    return worst !== undefined && worst.change < 0 ? [worst] : [];
  });
}

/** What beats MMTok, in words. */
export interface Losses {
  readonly lead: string;
  /** One per budget at which something does. */
  readonly items: readonly string[];
}

/** At which budgets other methods score higher than MMTok, and which; undefined where it was not run. */
export function mmtokLosses({ rows }: RunSummary): Losses | undefined {
  const own = rows.filter(({ method }) => method === 'mmtok');
  if (own.length === 0) return undefined;
  const items = own.flatMap(({ budget, score }) => {
    const better = rows
      .filter((row) => row.budget === budget && row.score > score)
      .toSorted((a, b) => b.score - a.score)
      .map((row) => `${row.title} ${percent(row.score)}`);
    return better.length === 0 ? [] : [`${budget} (MMTok ${percent(score)}): ${better.join(', ')}`];
  });
  const lead =
    items.length === 0
      ? 'No other method scores higher than MMTok at any of these budgets.'
      : 'Methods that score higher than MMTok:';
  return { lead, items };
}
