// The tables of a report, as texts in rows. How they look, on a page or in Markdown, is not decided here.

import { needsInWords } from '../methods/method.js';
import { milliseconds, percent, tokenCount, withInterval } from './format.js';
import { worstKinds } from './losses.js';
import { lostKinds } from './lost-kinds.js';
import {
  budgetsOf,
  type Headline,
  type KindScore,
  type RunSummary,
  type SummaryRow,
} from './summarize-run.js';

/** A cell: text, and a share from 0 to 1 by which a page tints it. */
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

/** A retention or score of 50 % is pale, one of 100 % full. */
const tint = (share: number): number => (share - 0.5) * 2;

/** `64`, or `10% (25 tokens)` where the budget is no number of tokens. */
function budgetTitle(rows: readonly SummaryRow[], budget: string): string {
  const tokens = tokenCount(rows.find((row) => row.budget === budget)?.keptTokens ?? 0);
  return tokens === budget ? budget : `${budget} (${tokens} tokens)`;
}

/** Methods by budgets. */
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

/** The benchmark's own headline; undefined where that is a mean of scores. */
export function headlineTable({ full, rows }: RunSummary): Table | undefined {
  const { headline } = full;
  if (headline === undefined) return undefined;
  const cells = (title: string, budget: string, own: Headline | undefined): string[] => [
    title,
    budget,
    own?.value.toFixed(4) ?? NONE,
    own?.retention === undefined ? NONE : percent(own.retention),
  ];
  return {
    head: ['method', 'budget', headline.name, 'retention, %'],
    rows: [cells(ALL_TOKENS, '', headline), ...rows.map((row) => cells(row.title, row.budget, row.headline))],
  };
}

/** The run beside the paper; undefined without published rows. */
export function paperTable({ paper, full, rows }: RunSummary): Table | undefined {
  if (paper === undefined) return undefined;
  const own = (title: string, tokens: string, score: number, headline: Headline | undefined): string[] => [
    'this run',
    title,
    tokens,
    ((headline?.value ?? score) * paper.factor).toFixed(2),
  ];
  return {
    head: ['from', 'method', 'tokens', paper.column],
    rows: [
      ...paper.rows.map(({ method, tokens, value }) => ['paper', method, tokens, value.toFixed(2)]),
      own(ALL_TOKENS, 'all', full.score, full.headline),
      ...rows.map((row) => own(row.title, tokenCount(row.keptTokens), row.score, row.headline)),
    ],
  };
}

/** Scores by kind of question at one budget; undefined where questions have no kinds. */
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

/** Medians of times; with a column for the agent where there is one. */
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
      ...['select, ms', 'prefill, ms', 'first token, ms', 'speed-up'],
    ],
    rows: [
      line(ALL_TOKENS, '', full.visionTokens, full.times, 1),
      ...rows.map((row) => line(row.title, row.budget, row.keptTokens, row.times, row.speedup)),
    ],
  };
}

/** What each method loses and wins against all tokens, and where it loses most. */
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

/** Kinds of question that every method loses, with the method that loses least; undefined where there are none. */
export function lostKindTable(summary: RunSummary): Table | undefined {
  const lost = lostKinds(summary);
  if (lost.length === 0) return undefined;
  const points = (share: number): string => percent(share);
  return {
    head: ['kind', 'budget', 'questions', 'all tokens, %', 'best method', 'its score, %', 'points'],
    rows: lost.map(({ kind, budget, questions, full, best: { row, score, difference } }) => [
      kind,
      budgetTitle(summary.rows, budget),
      String(questions),
      percent(full),
      row.title,
      percent(score),
      `${points(difference.value)} (${points(difference.low)} to ${points(difference.high)})`,
    ]),
  };
}

/** What the methods are, and who describes them. */
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
