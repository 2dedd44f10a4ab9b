// The tables of a report as text cells, which pages and Markdown then format.

import { needsInWords } from '../methods/method.js';
import type { RunSettings } from '../runner/run-settings.js';
import type { Interval } from '../stats/statistics.js';
import {
  budgetsOf,
  type KindScore,
  type PrimaryMetric,
  type RunSummary,
  type SummaryRow,
} from './summarize-run.js';

// Number formats.

/** `93.8` of 0.9379. */
export const percent = (share: number): string => (share * 100).toFixed(1);

/** `93.8 (91.0–96.2)` */
function withInterval(interval: Interval | undefined): string {
  if (interval === undefined) return '–';
  return `${percent(interval.value)} (${percent(interval.low)}–${percent(interval.high)})`;
}

/** Milliseconds with three significant digits or fewer. */
const milliseconds = (ms: number): string =>
  ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0);

/** `64` or `38.4` tokens. */
export const tokenCount = (tokens: number): string =>
  Number.isInteger(tokens) ? String(tokens) : tokens.toFixed(1);

/** How the model was configured, e.g. `dtype q4, tiles 5`; empty if everything was left at its default. */
export function modelOptionsInWords({ modelOptions = {} }: Pick<RunSettings, 'modelOptions'>): string {
  return Object.entries(modelOptions)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

// Where methods lose: the kinds of question that suffer most, and which methods beat MMTok.

/** The kind of question on which a method loses most. */
interface WorstKind {
  readonly row: SummaryRow;
  readonly kind: string;
  readonly questions: number;
  /** Its score minus its score with all tokens; negative for a loss. */
  readonly change: number;
}

/** For each row, the kind of question with the largest drop, if any. */
function worstKinds({ rows, full }: RunSummary): WorstKind[] {
  return rows.flatMap((row) => {
    const drops = row.kinds.map(({ kind, score, questions }): WorstKind => {
      const before = full.kinds.find((one) => one.kind === kind)?.score ?? 0;
      return { row, kind, questions, change: score - before };
    });
    const worst = drops.toSorted((a, b) => a.change - b.change)[0];
    return worst !== undefined && worst.change < 0 ? [worst] : [];
  });
}

/** Which methods beat MMTok, in words. */
interface Losses {
  readonly lead: string;
  /** One per budget at which any does. */
  readonly items: readonly string[];
}

/** At which budgets which methods score higher than MMTok; undefined if MMTok was not run. */
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

// The tables.

/** A cell: text, and a share from 0 to 1 for its tint on a page. */
export interface Cell {
  readonly text: string;
  readonly tint?: number;
}

/** A table; the first column holds names. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | Cell)[])[];
}

const ALL_TOKENS = 'all tokens';
const NONE = '–';

/** A retention or score of 50 % is pale, 100 % is full color. */
const tint = (share: number): number => (share - 0.5) * 2;

/** `64`, or `10% (25 tokens)` if the budget is not a number of tokens. */
function budgetTitle(rows: readonly SummaryRow[], budget: string): string {
  const tokens = tokenCount(rows.find((row) => row.budget === budget)?.keptTokens ?? 0);
  return tokens === budget ? budget : `${budget} (${tokens} tokens)`;
}

/** Retention: methods by budgets. */
export function retentionTable(summary: RunSummary): Table {
  const { rows } = summary;
  const budgets = budgetsOf(summary);
  const methods = [...new Map(rows.map(({ method, title }) => [method, title]))];
  return {
    head: ['method', ...budgets.map((budget) => budgetTitle(rows, budget))],
    rows: methods.map(([method, title]) => [
      title,
      ...budgets.map((budget): Cell => {
        const found = rows.find((row) => row.method === method && row.budget === budget)?.retention;
        return { text: withInterval(found), ...(found && { tint: tint(found.value) }) };
      }),
    ]),
  };
}

/** The benchmark's primary metric; undefined if that is a mean of scores. */
export function primaryMetricTable({ full, rows }: RunSummary): Table | undefined {
  const { primaryMetric } = full;
  if (primaryMetric === undefined) return undefined;
  const cells = (title: string, budget: string, own: PrimaryMetric | undefined): string[] => [
    title,
    budget,
    own?.value.toFixed(4) ?? NONE,
    own?.retention === undefined ? NONE : percent(own.retention),
  ];
  return {
    head: ['method', 'budget', primaryMetric.name, 'retention, %'],
    rows: [
      cells(ALL_TOKENS, '', primaryMetric),
      ...rows.map((row) => cells(row.title, row.budget, row.primaryMetric)),
    ],
  };
}

/** The run next to the paper; undefined without published rows. */
export function paperTable({ paper, full, rows }: RunSummary): Table | undefined {
  if (paper === undefined) return undefined;
  const own = (
    title: string,
    tokens: string,
    score: number,
    primaryMetric: PrimaryMetric | undefined,
  ): string[] => ['this run', title, tokens, ((primaryMetric?.value ?? score) * paper.factor).toFixed(2)];
  return {
    head: ['from', 'method', 'tokens', paper.column],
    rows: [
      ...paper.rows.map(({ method, tokens, value }) => ['paper', method, tokens, value.toFixed(2)]),
      own(ALL_TOKENS, 'all', full.score, full.primaryMetric),
      ...rows.map((row) => own(row.title, tokenCount(row.keptTokens), row.score, row.primaryMetric)),
    ],
  };
}

/** Scores by kind of question at one budget; undefined if questions have no kinds. */
export function kindTable({ full, rows }: RunSummary, budget: string): Table | undefined {
  const kinds = full.kinds.map(({ kind }) => kind);
  if (kinds.length === 0) return undefined;
  const scores = (own: readonly KindScore[]): Cell[] =>
    kinds.map((kind) => {
      const found = own.find((one) => one.kind === kind);
      if (found === undefined) return { text: NONE };
      const { score, retention } = found;
      return { text: percent(score), ...(retention !== undefined && { tint: tint(retention) }) };
    });
  return {
    head: ['score in %', ...kinds, 'all'],
    rows: [
      [ALL_TOKENS, ...full.kinds.map(({ score }) => percent(score)), percent(full.score)],
      ...rows
        .filter((row) => row.budget === budget)
        .map((row) => [row.title, ...scores(row.kinds), percent(row.score)]),
    ],
  };
}

/** Median times, with a column for the agent if there is one. */
export function timeTable({ full, rows }: RunSummary): Table {
  const hasAgent = rows.some(({ times }) => times.agentMs > 0);
  const line = (
    title: string,
    budget: string,
    tokens: number,
    times: SummaryRow['times'],
    speedup: number,
  ): string[] => [
    title,
    budget,
    tokenCount(tokens),
    ...(hasAgent ? [milliseconds(times.agentMs)] : []),
    milliseconds(times.selectMs),
    milliseconds(times.prefillMs),
    milliseconds(times.firstTokenMs),
    `${speedup.toFixed(2)} ×`,
  ];
  return {
    head: [
      ...['method', 'budget', 'tokens'],
      ...(hasAgent ? ['agent, ms'] : []),
      ...['select, ms', 'prefill, ms', 'first token, ms', 'speedup'],
    ],
    rows: [
      line(ALL_TOKENS, '', full.visionTokens, full.times, 1),
      ...rows.map((row) => line(row.title, row.budget, row.keptTokens, row.times, row.speedup)),
    ],
  };
}

/** What each method loses and wins against all tokens, and its worst kind of question. */
export function lossTable(summary: RunSummary): Table {
  const worst = worstKinds(summary);
  return {
    head: ['method', 'budget', 'answers lost', 'won', 'same answer', 'worst kind', 'points'],
    rows: summary.rows.map((row) => {
      const found = worst.find((one) => one.row === row);
      return [
        row.title,
        row.budget,
        String(row.lost),
        String(row.won),
        `${percent(row.agreement)} %`,
        found?.kind ?? NONE,
        found ? percent(found.change) : NONE,
      ];
    }),
  };
}

/** Kinds of question that every method loses, with the method that loses least; undefined if there are none. */
export function lostKindTable(summary: RunSummary): Table | undefined {
  const lost = lostKinds(summary);
  if (lost.length === 0) return undefined;
  return {
    head: ['kind', 'budget', 'questions', 'all tokens, %', 'best method', 'its score, %', 'points'],
    rows: lost.map(({ kind, budget, questions, full, best: { row, score, difference } }) => [
      kind,
      budgetTitle(summary.rows, budget),
      String(questions),
      percent(full),
      row.title,
      percent(score),
      `${percent(difference.value)} (${percent(difference.low)} to ${percent(difference.high)})`,
    ]),
  };
}

/** The methods, with what they need and their sources. */
export function methodTable({ settings }: RunSummary): Table {
  return {
    head: ['method', 'name', 'needs', 'source'],
    rows: settings.methods.map(({ title, name, needs, source }) => [
      title,
      name,
      needs === undefined ? NONE : needsInWords({ needs }),
      source,
    ]),
  };
}

// Kinds of question that, at a budget, no method answers as well as all tokens do.

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

// Methods against a smaller image that takes as long: the control if time counts rather than tokens.

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
