// The numbers of a report: a run's records by method and budget, with the published numbers of the MMTok paper.

import { sum } from '@mmtok/core/internal';
import { RunError } from '../errors.js';
import { ALL, type EvalRecord } from '../runner/records.js';
import type { RunResult } from '../runner/run-evaluation.js';
import type { RunSettings } from '../runner/run-settings.js';
import { groupBy, type Interval, mean, meanDifference, median, retention } from '../stats/statistics.js';
import type { ScoredAnswer, Task } from '../tasks/task.js';

// Published results for the models that people evaluate most.

/** One published number. */
export interface PaperRow {
  readonly method: string;
  /** Per image, as in the paper; `'all'` without pruning. */
  readonly tokens: string;
  readonly value: number;
}

/** Columns of the table, as named by `Task.paper.column`. */
const COLUMNS = ['GQA', 'MMB', 'MME', 'POPE', 'SQA', 'VQAv2', 'TextVQA', 'MMMU', 'SEED'];

// From https://arxiv.org/abs/2508.18264, Tables 1 and 17 to 19: model, method, tokens, values by column.
// biome-ignore format: a table
const TABLE: readonly (readonly [model: string, method: string, tokens: string, values: string])[] = [
  ['llava-1.5-7b', 'all tokens', 'all', '61.90 64.70 1862 85.90 69.50 78.50 58.20 36.30 58.60'],
  ['llava-1.5-7b', 'MMTok', '192', '60.07 63.40 1773.86 86.42 68.76 77.11 57.68 36.33 59.21'],
  ['llava-1.5-7b', 'DivPrune', '192', '59.97 62.54 1762.23 87.00 68.66 76.87 56.97 35.44 58.71'],
  ['llava-1.5-7b', 'VisionZip', '192', '59.30 63.00 1782.6 85.30 68.90 76.80 57.30 36.60 56.40'],
  ['llava-1.5-7b', 'MMTok', '128', '59.29 62.29 1779.14 86.25 68.82 76.35 57.03 35.67 58.59'],
  ['llava-1.5-7b', 'DivPrune', '128', '59.25 62.03 1718.22 86.72 68.66 75.96 56.06 35.56 56.98'],
  ['llava-1.5-7b', 'VisionZip', '128', '57.60 62.00 1761.7 83.20 68.90 75.60 56.80 37.90 54.90'],
  ['llava-1.5-7b', 'MMTok', '64', '58.29 61.17 1715.33 85.77 69.16 75.20 56.01 36.11 57.15'],
  ['llava-1.5-7b', 'DivPrune', '64', '57.78 59.28 1674.40 85.56 68.07 74.11 54.69 35.56 55.13'],
  ['llava-1.5-7b', 'VisionZip', '64', '55.10 60.10 1690 77.00 69.00 72.40 55.50 36.20 52.20'],
  ['llava-1.5-13b', 'all tokens', 'all', '63.2 67.7 1818 85.9 72.8 80.0 61.3 36.4 66.9'],
  ['llava-1.5-13b', 'MMTok', '192', '59.67 67.70 1784.16 86.15 73.62 78.30 59.64 36.78 65.49'],
  ['llava-1.5-13b', 'DivPrune', '192', '59.42 66.58 1781.50 86.76 73.03 77.98 58.46 36.56 65.72'],
  ['llava-1.5-13b', 'MMTok', '128', '58.98 67.18 1756.20 86.22 73.38 77.57 59.22 35.44 64.26'],
  ['llava-1.5-13b', 'DivPrune', '128', '58.89 66.07 1748.56 86.53 72.48 77.10 58.17 35.56 64.22'],
  ['llava-1.5-13b', 'VisionZip', '128', '57.9 66.7 1743 85.2 74.0 76.8 58.7 36.1 63.8'],
  ['llava-1.5-13b', 'MMTok', '64', '58.42 65.72 1763.39 84.39 72.98 76.55 58.40 35.22 63.39'],
  ['llava-1.5-13b', 'DivPrune', '64', '57.66 64.60 1777.93 84.80 72.09 75.20 57.11 35.22 62.44'],
  ['llava-1.5-13b', 'VisionZip', '64', '56.2 64.9 1676 76.0 74.4 73.7 57.4 36.4 60.4'],
  ['llava-next-7b', 'all tokens', 'all', '64.2 67.9 1842 86.4 70.2 80.1 61.3 35.1 70.2'],
  ['llava-next-7b', 'MMTok', '640', '62.27 65.29 1829.28 86.74 68.47 79.31 58.97 37.22 67.74'],
  ['llava-next-7b', 'MMTok', '320', '60.96 64.35 1799.33 85.76 67.33 77.68 56.93 38.00 66.29'],
  ['llava-next-7b', 'MMTok', '160', '60.05 62.97 1715.54 83.87 67.97 75.62 54.17 37.89 64.54'],
  ['llava-next-13b', 'all tokens', 'all', '65.4 70.0 1901 86.2 73.5 81.8 64.3 36.2 71.9'],
  ['llava-next-13b', 'MMTok', '640', '63.71 67.44 1874.63 86.72 72.29 80.55 61.06 37.11 69.61'],
  ['llava-next-13b', 'MMTok', '320', '62.95 65.55 1840.10 85.88 72.38 78.79 58.88 36.33 67.81'],
  ['llava-next-13b', 'MMTok', '160', '61.94 65.89 1811.35 85.11 72.43 76.8 55.91 37.11 65.45'],
];

/** Which model names refer to which model of the table. */
const MODELS: readonly (readonly [model: string, name: RegExp])[] = [
  ['llava-1.5-7b', /llava-?(v)?1[.-]5.*\b7b/i],
  ['llava-1.5-13b', /llava-?(v)?1[.-]5.*\b13b/i],
  ['llava-next-7b', /llava-?(next|v?1[.-]6).*\b7b/i],
  ['llava-next-13b', /llava-?(next|v?1[.-]6).*\b13b/i],
];

/**
 * The paper's rows for a model and a column of its tables; empty if it has none.
 * @param model hub id or folder path.
 */
function paperRows(model: string, column: string): PaperRow[] {
  const known = MODELS.find(([, name]) => name.test(model))?.[0];
  const at = COLUMNS.indexOf(column);
  if (at < 0) return [];
  return TABLE.filter(([own]) => own === known).map(([, method, tokens, values]) => ({
    method,
    tokens,
    value: Number(values.split(' ')[at]),
  }));
}

/** Scores of one kind of question. */
export interface KindScore {
  readonly kind: string;
  readonly questions: number;
  /** Mean score, from 0 to 1. */
  readonly score: number;
  /** Relative to the score with all tokens; undefined if that is 0. */
  readonly retention?: number;
  /** Score minus the score with all tokens, with its interval; absent with all tokens. */
  readonly difference?: Interval;
}

/** Medians over questions, in milliseconds. */
export interface RowTimes {
  /** The agent; 0 if there is none. */
  readonly agentMs: number;
  readonly selectMs: number;
  readonly prefillMs: number;
  /** Encoder, agent, token selection, and language model up to the first token of the answer. */
  readonly firstTokenMs: number;
}

/** The primary metric of a benchmark that is more than a mean of scores, e.g. F1 or the MME total. */
export interface PrimaryMetric {
  readonly name: string;
  readonly value: number;
  /** Relative to the value with all tokens; undefined if that is not positive. */
  readonly retention?: number;
}

/** One method at one budget. */
export interface SummaryRow {
  readonly method: string;
  /** The method's title. It says so if not all questions have been answered, or nothing was pruned. */
  readonly title: string;
  readonly budget: string;
  /** Mean number of kept vision tokens. */
  readonly keptTokens: number;
  readonly questions: number;
  /** Mean score, from 0 to 1. */
  readonly score: number;
  /** Score relative to the score with all tokens, with its interval; undefined if that is 0. */
  readonly retention?: Interval;
  /** Score minus the score with all tokens, with its interval. */
  readonly difference: Interval;
  /** Share of the questions with the same answer as with all tokens, right or wrong. */
  readonly agreement: number;
  /** Number of questions scored lower, and higher, than with all tokens. */
  readonly lost: number;
  readonly won: number;
  /** Absent if the benchmark's primary metric is the mean score. */
  readonly primaryMetric?: PrimaryMetric;
  /** @deprecated The name of `primaryMetric` until 0.1; removed in the next minor version. */
  readonly headline?: PrimaryMetric;
  readonly kinds: readonly KindScore[];
  readonly times: RowTimes;
  /** Time to first token with all tokens divided by that of this row. */
  readonly speedup: number;
}

/** All numbers of a run. */
export interface RunSummary {
  readonly settings: RunSettings;
  readonly questions: number;
  /** With all tokens. */
  readonly full: {
    readonly visionTokens: number;
    readonly score: number;
    readonly primaryMetric?: PrimaryMetric;
    /** @deprecated The name of `primaryMetric` until 0.1; removed in the next minor version. */
    readonly headline?: PrimaryMetric;
    readonly kinds: readonly KindScore[];
    readonly encodeMs: number;
    readonly times: RowTimes;
  };
  /** The MMTok paper's results for the same model and benchmark, and the factor that scales this run's values to them. */
  readonly paper?: { readonly column: string; readonly factor: number; readonly rows: readonly PaperRow[] };
  /** By budget, most tokens first, then in the order of the methods. */
  readonly rows: readonly SummaryRow[];
}

/**
 * Summarizes a run. Each row counts the questions answered so far and compares them with the same questions answered with all
 * tokens. Questions of one group are resampled together.
 * @param task needed for benchmarks that the MMTok paper reports, or whose primary metric is more than a mean of scores.
 * @throws RunError if there are no answers with all tokens.
 */
export function summarizeRun(
  { settings, records }: RunResult,
  task?: Pick<Task, 'aggregate' | 'paper'>,
): RunSummary {
  const aggregate = task?.aggregate;
  const whole = new Map(records.filter(({ method }) => method === ALL).map((record) => [record.id, record]));
  if (whole.size === 0) throw new RunError('The run has no answers with all tokens to compare with');
  const all = [...whole.values()];
  const resizing = settings.methods.flatMap(({ name, needs }) =>
    needs?.includes('resolution') ? [name] : [],
  );
  // The encoder runs once per image, so its median time is used for every question. Smaller images are encoded again.
  const encodeMs = encodeMsOf(all);
  const times = timesOf(all, encodeMs);
  const pruned = groupBy(
    records.filter(({ method }) => method !== ALL),
    ({ method, budget }) => JSON.stringify([budget, method]),
  );
  // Skipped tiles save encoder time. The first method to choose from the tiles has them encoded for all.
  const prunedEncodeMs =
    settings.modelOptions?.tiles === undefined
      ? encodeMs
      : encodeMsOf(records.filter(({ method }) => method !== ALL && !resizing.includes(method)));
  const rows = [...pruned.values()].map((own): SummaryRow => {
    const isSmaller = resizing.includes((own[0] as EvalRecord).method);
    const reference = { whole, settings, times, aggregate };
    return rowOf(own, { ...reference, encodeMs: isSmaller ? encodeMsOf(own) : prunedEncodeMs });
  });
  const order = settings.methods.map(({ name }) => name);
  const tokensOf = new Map(
    [...groupBy(rows, ({ budget }) => budget)].map(([budget, own]) => [
      budget,
      mean(own.map(({ keptTokens }) => keptTokens)),
    ]),
  );
  const published = task?.paper ? paperRows(settings.model, task.paper.column) : [];
  return {
    settings,
    questions: whole.size,
    ...(task?.paper && published.length > 0 && { paper: { ...task.paper, rows: published } }),
    full: {
      visionTokens: mean(all.map((record) => record.visionTokens)),
      score: mean(all.map(scoreOf)),
      ...primaryMetricOf(aggregate, all, all),
      kinds: kindsOf(all, whole),
      encodeMs,
      times,
    },
    rows: rows.sort(
      (a, b) =>
        (tokensOf.get(b.budget) ?? 0) - (tokensOf.get(a.budget) ?? 0) ||
        a.budget.localeCompare(b.budget) ||
        order.indexOf(a.method) - order.indexOf(b.method),
    ),
  };
}

/** What rows are compared with. */
interface Reference {
  readonly whole: ReadonlyMap<string, EvalRecord>;
  readonly settings: RunSettings;
  readonly encodeMs: number;
  /** With all tokens. */
  readonly times: RowTimes;
  readonly aggregate: Task['aggregate'] | undefined;
}

function rowOf(records: readonly EvalRecord[], reference: Reference): SummaryRow {
  const { whole, settings, encodeMs, times: fullTimes, aggregate } = reference;
  const [first] = records as readonly [EvalRecord];
  const pairs = records.map((pruned): Pair => {
    const full = whole.get(pruned.id);
    if (full !== undefined) return { full, pruned };
    throw new RunError(
      `Question '${pruned.id}' has no answer with all tokens; run the evaluation again to add it`,
    );
  });
  const clusters = [...groupBy(pairs, ({ pruned }) => pruned.group ?? pruned.id).values()];
  const baseline = clusters.map((cluster) => sum(cluster.map(({ full }) => scoreOf(full))));
  const treatment = clusters.map((cluster) => sum(cluster.map(({ pruned }) => scoreOf(pruned))));
  const scale = clusters.length / pairs.length;
  const { value, low, high } = meanDifference(baseline, treatment);
  const times = timesOf(records, encodeMs);
  const title = settings.methods.find(({ name }) => name === first.method)?.title ?? first.method;
  const isPartial = records.length < whole.size;
  const isPruned = records.some(({ keptTokens, visionTokens }) => keptTokens < visionTokens);
  return {
    method: first.method,
    title:
      title +
      (isPartial ? ` (${records.length} of ${whole.size} questions)` : '') +
      (isPruned ? '' : ' (nothing pruned)'),
    budget: first.budget,
    keptTokens: mean(records.map((record) => record.keptTokens)),
    questions: records.length,
    score: mean(records.map(scoreOf)),
    ...(sum(baseline) > 0 && { retention: retention(baseline, treatment) }),
    difference: { value: value * scale, low: low * scale, high: high * scale },
    agreement: mean(pairs.map(({ full, pruned }) => Number(full.answer === pruned.answer))),
    lost: pairs.filter(({ full, pruned }) => scoreOf(pruned) < scoreOf(full)).length,
    won: pairs.filter(({ full, pruned }) => scoreOf(pruned) > scoreOf(full)).length,
    ...primaryMetricOf(
      aggregate,
      records,
      pairs.map(({ full }) => full),
    ),
    kinds: kindsOf(records, whole),
    times,
    speedup: times.firstTokenMs > 0 ? fullTimes.firstTokenMs / times.firstTokenMs : 1,
  };
}

interface Pair {
  readonly full: EvalRecord;
  readonly pruned: EvalRecord;
}

function primaryMetricOf(
  aggregate: Task['aggregate'] | undefined,
  records: readonly EvalRecord[],
  whole: readonly EvalRecord[],
): Pick<SummaryRow, 'primaryMetric' | 'headline'> {
  if (aggregate === undefined) return {};
  const { metric, value } = aggregate(records.map(toScored));
  if (Math.abs(value - mean(records.map(scoreOf))) < 1e-9) return {};
  const full = aggregate(whole.map(toScored)).value;
  const primaryMetric = { name: metric, value, ...(full > 0 && { retention: value / full }) };
  return { primaryMetric, headline: primaryMetric };
}

function toScored({ id, kind, group, score: { value, parsed, details } }: EvalRecord): ScoredAnswer {
  return {
    id,
    kind,
    group,
    score: { value, ...(parsed !== undefined && { parsed }), ...(details && { details }) },
  };
}

/** Budgets as written, most tokens first. */
export const budgetsOf = ({ rows }: Pick<RunSummary, 'rows'>): string[] => [
  ...new Set(rows.map(({ budget }) => budget)),
];

/** The score of an answer, from 0 to 1. */
export const scoreOf = ({ score }: EvalRecord): number => score.value;

function kindsOf(records: readonly EvalRecord[], whole: ReadonlyMap<string, EvalRecord>): KindScore[] {
  const named = records.filter(({ kind }) => kind !== undefined);
  return [...groupBy(named, ({ kind }) => kind as string).values()]
    .map((own): KindScore => {
      const score = mean(own.map(scoreOf));
      const before = own.map(({ id }) => whole.get(id)?.score.value ?? 0);
      const full = mean(before);
      return {
        kind: own[0]?.kind as string,
        questions: own.length,
        score,
        ...(full > 0 && { retention: score / full }),
        ...(own[0]?.method !== ALL && { difference: meanDifference(before, own.map(scoreOf)) }),
      };
    })
    .sort((a, b) => a.kind.localeCompare(b.kind));
}

/** The median time of the encoder over images. Later answers about an image reuse all or part of what was encoded. */
function encodeMsOf(records: readonly EvalRecord[]): number {
  const encoded = records.filter((record) => record.encodeMs > 0);
  return median([...groupBy(encoded, ({ image }) => image).values()].map(([first]) => first?.encodeMs ?? 0));
}

function timesOf(records: readonly EvalRecord[], encodeMs: number): RowTimes {
  return {
    agentMs: median(records.map(({ agentMs = 0 }) => agentMs)),
    selectMs: median(records.map(({ selectMs }) => selectMs)),
    prefillMs: median(records.map(({ prefillMs }) => prefillMs)),
    firstTokenMs:
      encodeMs +
      median(records.map(({ agentMs = 0, selectMs, prefillMs }) => agentMs + selectMs + prefillMs)),
  };
}

/** That questions were skipped, and a line for each; empty if there were none. */
export function skippedInWords({ settings: { skipped = [] } }: Pick<RunSummary, 'settings'>): string[] {
  if (skipped.length === 0) return [];
  const count = `${skipped.length} ${skipped.length === 1 ? 'question' : 'questions'}`;
  return [
    `${count} could not be asked and are not counted:`,
    ...skipped.map(({ id, problem }) => `${id}: ${problem}`),
  ];
}
