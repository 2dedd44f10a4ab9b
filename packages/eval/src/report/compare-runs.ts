// Compares two runs on the same questions: two versions, two models, two budgets. Differences are paired by question.

import { explainFileError, sum } from '@mmtok/core/internal';
import { html, raw } from 'hono/html';
import { RunError, WriteError } from '../errors.js';
import { ALL, type EvalRecord } from '../runner/records.js';
import type { RunResult } from '../runner/run-evaluation.js';
import { makeFolder, writeFiles } from '../runner/run-folder.js';
import type { RunSettings } from '../runner/run-settings.js';
import { groupBy, type Interval, mean, meanDifference } from '../stats/statistics.js';
import { escapeMarkdown, htmlList, htmlPage, htmlTable, listToMarkdown, tableToMarkdown } from './formats.js';
import { scoreOf } from './summarize-run.js';
import { modelOptionsInWords, percent, type Table, tokenCount } from './tables.js';

/** One method in both runs, on the questions that both have answered. */
export interface ComparedRow {
  readonly method: string;
  /** The method's title. */
  readonly title: string;
  /** The budget in each run. They differ only if the runs have none in common. */
  readonly budgets: readonly [a: string, b: string];
  readonly questions: number;
  /** Mean number of kept vision tokens. */
  readonly keptTokens: readonly [a: number, b: number];
  /** Mean scores, from 0 to 1. */
  readonly scores: readonly [a: number, b: number];
  /** Score of the second run minus that of the first, with its interval. */
  readonly difference: Interval;
  /** Number of questions that the second run scores higher, and lower. */
  readonly won: number;
  readonly lost: number;
}

/** The result of {@link compareRuns}. */
export interface RunComparison {
  readonly folders: readonly [a: string, b: string];
  readonly settings: readonly [a: RunSettings, b: RunSettings];
  /** Number of questions that both runs have answered with all tokens or any method, and of those that only one has. */
  readonly questions: number;
  readonly onlyIn: readonly [a: number, b: number];
  /** All tokens first, then by method and budget as in the first run. */
  readonly rows: readonly ComparedRow[];
  /** Methods at budgets that only one of the runs has, e.g. `'random at 64'`. */
  readonly unpaired: readonly string[];
}

/**
 * Compares two runs. Methods are paired by name and budget. If the runs share none of a method's budgets, these are paired in the
 * order given. Questions of one group are resampled together.
 * @throws RunError if the runs have different tasks, no common question, or different questions under one id.
 */
export function compareRuns(a: RunResult, b: RunResult): RunComparison {
  if (a.settings.task !== b.settings.task) {
    throw new RunError(
      `'${a.folder}' is a run of ${a.settings.task}, '${b.folder}' one of ${b.settings.task}; compare runs of one task`,
    );
  }
  const [inA, inB] = [questionsOf(a), questionsOf(b)];
  const common = [...inA.keys()].filter((id) => inB.has(id));
  if (common.length === 0)
    throw new RunError(`The runs in '${a.folder}' and '${b.folder}' have no question in common`);
  for (const id of common) assertSame(inA.get(id) as EvalRecord, inB.get(id) as EvalRecord);
  const [rowsA, rowsB] = [rowsOf(a), rowsOf(b)];
  const pairs = pairsOf(rowsA, rowsB);
  const rows = pairs.flatMap(([one, other]) => compared(one, other, a.settings, b.settings));
  const used = new Set(pairs.flat());
  const unpaired = [...rowsA, ...rowsB]
    .filter((row) => !used.has(row))
    .map(({ method, budget }) => `${method} at ${budget}`);
  return {
    folders: [a.folder, b.folder],
    settings: [a.settings, b.settings],
    questions: common.length,
    onlyIn: [inA.size - common.length, inB.size - common.length],
    rows,
    unpaired: [...new Set(unpaired)],
  };
}

/** Whether a difference is significant: `'higher'` or `'lower'` if its interval excludes 0. */
export function verdictOf({ difference: { low, high } }: Pick<ComparedRow, 'difference'>): string {
  if (low > 0) return 'higher';
  return high < 0 ? 'lower' : 'within chance';
}

/** The answers of one method at one budget. */
interface Row {
  readonly method: string;
  readonly budget: string;
  readonly records: ReadonlyMap<string, EvalRecord>;
}

const questionsOf = ({ records }: RunResult): Map<string, EvalRecord> =>
  new Map(records.map((record) => [record.id, record]));

function rowsOf({ records }: RunResult): Row[] {
  return [...groupBy(records, ({ method, budget }) => JSON.stringify([method, budget])).values()].map(
    (own): Row => ({
      method: (own[0] as EvalRecord).method,
      budget: (own[0] as EvalRecord).budget,
      records: new Map(own.map((record) => [record.id, record])),
    }),
  );
}

function assertSame(a: EvalRecord, b: EvalRecord): void {
  // Digests include the prompt, whose form may depend on the model; the question and its gold answer must agree.
  const isSame = a.question === b.question && JSON.stringify(a.target) === JSON.stringify(b.target);
  if (isSame) return;
  throw new RunError(`Question '${a.id}' differs between the runs; compare runs on the same data`);
}

function pairsOf(a: readonly Row[], b: readonly Row[]): (readonly [Row, Row])[] {
  const isOf =
    (method: string) =>
    (row: Row): boolean =>
      row.method === method;
  return [...new Set(a.map(({ method }) => method))].flatMap((method) => {
    const [own, others] = [a.filter(isOf(method)), b.filter(isOf(method))];
    const same = own.flatMap((row): [Row, Row][] => {
      const other = others.find(({ budget }) => budget === row.budget);
      return other === undefined ? [] : [[row, other]];
    });
    if (same.length > 0 || own.length !== others.length) return same;
    return own.map((row, at): [Row, Row] => [row, others[at] as Row]);
  });
}

function compared(a: Row, b: Row, inA: RunSettings, inB: RunSettings): ComparedRow[] {
  const pairs = [...a.records].flatMap(([id, one]): [EvalRecord, EvalRecord][] => {
    const other = b.records.get(id);
    return other === undefined ? [] : [[one, other]];
  });
  if (pairs.length === 0) return [];
  const clusters = [...groupBy(pairs, ([one]) => one.group ?? one.id).values()];
  const totals = (at: 0 | 1): number[] =>
    clusters.map((cluster) => sum(cluster.map((pair) => scoreOf(pair[at]))));
  const scale = clusters.length / pairs.length;
  const { value, low, high } = meanDifference(totals(0), totals(1));
  const meanOf = (at: 0 | 1, read: (record: EvalRecord) => number): number =>
    mean(pairs.map((pair) => read(pair[at])));
  const known = [...inA.methods, ...inB.methods].find(({ name }) => name === a.method);
  return [
    {
      method: a.method,
      title: a.method === ALL ? 'all tokens' : (known?.title ?? a.method),
      budgets: [a.budget, b.budget],
      questions: pairs.length,
      keptTokens: [meanOf(0, ({ keptTokens }) => keptTokens), meanOf(1, ({ keptTokens }) => keptTokens)],
      scores: [meanOf(0, scoreOf), meanOf(1, scoreOf)],
      difference: { value: value * scale, low: low * scale, high: high * scale },
      won: pairs.filter(([one, other]) => scoreOf(other) > scoreOf(one)).length,
      lost: pairs.filter(([one, other]) => scoreOf(other) < scoreOf(one)).length,
    },
  ];
}

// The comparison as a page with a plot, and as Markdown.

/** `64`, or `64 → 32` if the runs had different budgets; empty for all tokens. */
function budgetOf({ method, budgets: [a, b] }: ComparedRow): string {
  if (method === 'all') return '';
  return a === b ? a : `${a} → ${b}`;
}

/** A row's label in the plot. */
function labelOf(row: ComparedRow): string {
  const budget = budgetOf(row);
  return budget === '' ? row.title : `${row.title}, ${budget}`;
}

/** The rows as a table, with scores and differences in percent. */
export function comparisonTable({ rows }: RunComparison): Table {
  const signed = (share: number): string => `${share > 0 ? '+' : ''}${percent(share)}`;
  return {
    head: [
      ...['method', 'budget', 'questions', 'tokens, A', 'tokens, B', 'score, A', 'score, B'],
      ...['B − A', '95 % interval', 'B higher', 'B lower', 'verdict'],
    ],
    rows: rows.map((row) => [
      row.title,
      budgetOf(row),
      String(row.questions),
      ...row.keptTokens.map((tokens) => tokenCount(tokens)),
      ...row.scores.map(percent),
      signed(row.difference.value),
      `${signed(row.difference.low)} to ${signed(row.difference.high)}`,
      String(row.won),
      String(row.lost),
      verdictOf(row),
    ]),
  };
}

/** What is compared and what is skipped, one line each. */
export function comparisonNotes({ settings, folders, questions, onlyIn, unpaired }: RunComparison): string[] {
  const [a, b] = settings.map((own, at) =>
    [`${folders[at]}: ${own.model}`, modelOptionsInWords(own), `seed ${own.seed}`]
      .filter((part) => part !== '')
      .join(', '),
  ) as [string, string];
  return [
    `A: ${a}`,
    `B: ${b}`,
    `${questions} questions in both; differences are paired, with bootstrap intervals over questions`,
    ...(onlyIn[0] + onlyIn[1] > 0
      ? [`skipped: ${onlyIn[0]} questions only in A, ${onlyIn[1]} only in B`]
      : []),
    ...(unpaired.length > 0 ? [`skipped because only one run has it: ${unpaired.join(', ')}`] : []),
  ];
}

/** The comparison as Markdown. */
function comparisonMarkdown(comparison: RunComparison): string {
  return [
    `# ${escapeMarkdown(titleOf(comparison))}`,
    listToMarkdown(comparisonNotes(comparison)),
    `${tableToMarkdown(comparisonTable(comparison))}\n`,
  ].join('\n\n');
}

/**
 * Writes `compare.html` and `compare.md` into a folder, which is created if needed.
 * @returns Their paths.
 * @throws WriteError if a file cannot be written.
 */
export async function writeComparison(comparison: RunComparison, folder: string): Promise<string[]> {
  // The plotting library is large, and only the page needs it.
  const { differenceChart } = await import('./charts.js');
  const title = titleOf(comparison);
  const chart = differenceChart(comparison.rows.map((row) => ({ label: labelOf(row), ...row.difference })));
  const body = html`<h1>${title}</h1>
${htmlList(comparisonNotes(comparison))}
${raw(chart)}
${htmlTable(comparisonTable(comparison))}`;
  const page = String(await htmlPage(title, body));
  const unwritable = (path: string, reason: string): string => `'${path}' cannot be written (${reason})`;
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new WriteError(unwritable(folder, explainFileError(cause)), { cause });
  }
  return writeFiles(
    folder,
    [
      ['compare.html', page],
      ['compare.md', comparisonMarkdown(comparison)],
    ],
    unwritable,
  );
}

function titleOf({ settings }: RunComparison): string {
  const [a, b] = settings;
  return `${a.title}: ${a.model} and ${b.model}`;
}
