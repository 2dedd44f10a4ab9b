// The numbers of a report: a run's records, method by method and budget by budget. No layout here.

import { sum } from '@mmtok/core/internal';
import { groupBy, mean } from '../metrics/mean.js';
import { ALL, type EvalRecord } from '../runner/record.js';
import { RunError } from '../runner/run-error.js';
import type { RunResult } from '../runner/run-evaluation.js';
import type { RunSettings } from '../runner/run-settings.js';
import { median } from '../statistics/median.js';
import { type Interval, meanDifference, retention } from '../statistics/paired-bootstrap.js';
import type { ScoredAnswer, Task } from '../tasks/task.js';
import { type PaperRow, paperRows } from './paper-rows.js';

/** Scores of one kind of question. */
export interface KindScore {
  readonly kind: string;
  readonly questions: number;
  /** Mean score, from 0 to 1. */
  readonly score: number;
  /** Over the score with all tokens; undefined where that is 0. */
  readonly retention?: number;
}

/** Medians over questions, in milliseconds. */
export interface RowTimes {
  /** The agent; 0 without one. */
  readonly agentMs: number;
  readonly selectMs: number;
  readonly prefillMs: number;
  /** Encoder, agent, method and language model up to the first token of the answer. */
  readonly firstTokenMs: number;
}

/** The headline of a benchmark that is more than a mean of scores, e.g. F1 or the sum of MME. */
export interface Headline {
  readonly name: string;
  readonly value: number;
  /** Over the value with all tokens; undefined where that is not above 0. */
  readonly retention?: number;
}

/** One method at one budget. */
export interface SummaryRow {
  readonly method: string;
  /** For people; it says so where not all questions have been answered, or where nothing was pruned. */
  readonly title: string;
  readonly budget: string;
  /** Mean number of vision tokens kept. */
  readonly keptTokens: number;
  readonly questions: number;
  /** Mean score, from 0 to 1. */
  readonly score: number;
  /** Score over the score with all tokens, with its interval; undefined where that is 0. */
  readonly retention?: Interval;
  /** Score minus the score with all tokens, with its interval. */
  readonly difference: Interval;
  /** Share of the questions answered as with all tokens, right or wrong. */
  readonly agreement: number;
  /** Questions scored lower, and higher, than with all tokens. */
  readonly lost: number;
  readonly won: number;
  /** Absent where the benchmark's headline is the mean score. */
  readonly headline?: Headline;
  readonly kinds: readonly KindScore[];
  readonly times: RowTimes;
  /** Time to the first token with all tokens over the time with this row's. */
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
    readonly headline?: Headline;
    readonly kinds: readonly KindScore[];
    readonly encodeMs: number;
    readonly times: RowTimes;
  };
  /** What the MMTok paper has for the same model and benchmark, and how to scale this run's values to it. */
  readonly paper?: { readonly column: string; readonly factor: number; readonly rows: readonly PaperRow[] };
  /** By budget, most tokens first, and within it in the order of the methods. */
  readonly rows: readonly SummaryRow[];
}

/**
 * Summarises a run. Rows count the questions that have been answered by then; each is compared with the very same
 * questions answered with all tokens. Questions of one group are resampled together.
 * @param task For benchmarks whose headline is more than a mean of scores, or that the MMTok paper has.
 * @throws RunError without answers with all tokens.
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
  // The encoder runs once per picture; its median stands for every question. Smaller pictures are encoded anew.
  const encodeMs = encodeMsOf(records.filter(({ method }) => !resizing.includes(method)));
  const times = timesOf(all, encodeMs);
  const pruned = groupBy(
    records.filter(({ method }) => method !== ALL),
    ({ method, budget }) => JSON.stringify([budget, method]),
  );
  const rows = [...pruned.values()].map((own): SummaryRow => {
    const isSmaller = resizing.includes((own[0] as EvalRecord).method);
    const reference = { whole, settings, times, aggregate };
    return rowOf(own, { ...reference, encodeMs: isSmaller ? encodeMsOf(own) : encodeMs });
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
      ...headlineOf(aggregate, all, all),
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

/** What rows are compared with, and by what. */
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
    ...headlineOf(
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

function headlineOf(
  aggregate: Task['aggregate'] | undefined,
  records: readonly EvalRecord[],
  whole: readonly EvalRecord[],
): { readonly headline?: Headline } {
  if (aggregate === undefined) return {};
  const { metric, value } = aggregate(records.map(toScored));
  if (Math.abs(value - mean(records.map(scoreOf))) < 1e-9) return {};
  const full = aggregate(whole.map(toScored)).value;
  return { headline: { name: metric, value, ...(full > 0 && { retention: value / full }) } };
}

function toScored({ id, kind, group, score: { value, parsed, facts } }: EvalRecord): ScoredAnswer {
  return {
    id,
    kind,
    group,
    score: { value, ...(parsed !== undefined && { parsed }), ...(facts && { facts }) },
  };
}

/** The score of one answer, from 0 to 1. */
export const scoreOf = ({ score }: EvalRecord): number => score.value;

function kindsOf(records: readonly EvalRecord[], whole: ReadonlyMap<string, EvalRecord>): KindScore[] {
  const named = records.filter(({ kind }) => kind !== undefined);
  return [...groupBy(named, ({ kind }) => kind as string).values()]
    .map((own): KindScore => {
      const score = mean(own.map(scoreOf));
      const full = mean(own.map(({ id }) => whole.get(id)?.score.value ?? 0));
      return {
        kind: own[0]?.kind as string,
        questions: own.length,
        score,
        ...(full > 0 && { retention: score / full }),
      };
    })
    .sort((a, b) => a.kind.localeCompare(b.kind));
}

/** The median time of the encoder, where it ran. */
function encodeMsOf(records: readonly EvalRecord[]): number {
  return median(records.map((record) => record.encodeMs).filter((ms) => ms > 0));
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

/** That questions were skipped, and a line for each; nothing where there were none. */
export function skippedInWords({ settings: { skipped = [] } }: Pick<RunSummary, 'settings'>): string[] {
  if (skipped.length === 0) return [];
  const count = `${skipped.length} ${skipped.length === 1 ? 'question' : 'questions'}`;
  return [
    `${count} could not be asked and are not counted:`,
    ...skipped.map(({ id, problem }) => `${id}: ${problem}`),
  ];
}
