// Methods against a smaller image that takes as long: the control if time counts rather than tokens.

import type { RunSummary, SummaryRow } from './summarize-run.js';
import { milliseconds, percent, type Table } from './tables.js';

interface Point {
  readonly firstTokenMs: number;
  readonly score: number;
}

/**
 * Each method's score next to that of a smaller image with the same time to first token, interpolated between the budgets at which
 * the smaller image was measured; `–` for times beyond them.
 * @returns `undefined` unless the run has a method that makes images smaller, and another method.
 */
export function equalTimeTable({ settings, full, rows }: RunSummary): Table | undefined {
  const resizing = settings.methods.find(({ needs }) => needs?.includes('resolution') === true);
  const others = rows.filter(({ method }) => method !== resizing?.name);
  if (resizing === undefined || others.length === 0 || others.length === rows.length) return undefined;
  const point = ({ times, score }: Pick<SummaryRow, 'times' | 'score'>): Point => ({
    firstTokenMs: times.firstTokenMs,
    score,
  });
  const curve = [...rows.filter(({ method }) => method === resizing.name), full]
    .map(point)
    .sort((a, b) => a.firstTokenMs - b.firstTokenMs);
  return {
    head: ['method', 'budget', 'first token, ms', 'score, %', `${resizing.title} in that time, %`],
    rows: others.map((row) => {
      const score = scoreAt(curve, row.times.firstTokenMs);
      return [
        row.title,
        row.budget,
        milliseconds(row.times.firstTokenMs),
        percent(row.score),
        score === undefined ? '–' : percent(score),
      ];
    }),
  };
}

/** The score on the line through points in the order of their times; nothing beyond the first and the last. */
export function scoreAt(curve: readonly Point[], firstTokenMs: number): number | undefined {
  const next = curve.findIndex((point) => point.firstTokenMs >= firstTokenMs);
  const [before, after] = [curve[next - 1], curve[next]];
  if (after === undefined) return undefined;
  if (after.firstTokenMs === firstTokenMs) return after.score;
  if (before === undefined) return undefined;
  const share = (firstTokenMs - before.firstTokenMs) / (after.firstTokenMs - before.firstTokenMs);
  return before.score + share * (after.score - before.score);
}
