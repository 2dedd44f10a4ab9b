// Where methods lose: the kinds of question that suffer most, and what beats MMTok.

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

/** One budget, and the methods that score higher there than a method. */
export interface Beaten {
  readonly budget: string;
  readonly own: SummaryRow;
  readonly better: readonly SummaryRow[];
}

/** At which budgets other methods score higher than `method`, and which; empty where it was not run. */
export function beatenBy({ rows }: RunSummary, method: string): Beaten[] {
  return rows
    .filter((row) => row.method === method)
    .flatMap((own) => {
      const better = rows
        .filter((row) => row.budget === own.budget && row.score > own.score)
        .toSorted((a, b) => b.score - a.score);
      return better.length > 0 ? [{ budget: own.budget, own, better }] : [];
    });
}
