// The runner: asks the same questions for every method and budget and saves each answer immediately.

import { type Backend, InvalidOptionsError, MmtokError, parseBudget } from '@mmtok/core';
import { resolveBudget } from '@mmtok/core/internal';
import { describeMachine } from '../describe-machine.js';
import { RunError, RunStoppedError } from '../errors.js';
import type { Method } from '../methods/method.js';
import { groupBy } from '../stats/statistics.js';
import { parseLoadOptions } from '../tasks/define-task.js';
import type { LoadOptions, Sample, Shard, Task } from '../tasks/task.js';
import { askQuestion, type Job, type QuestionContext, TokenChooser } from './ask-question.js';
import { AgentCache, assertAgents, type EvalAgents, type EvalModel } from './model.js';
import { ALL, type EvalRecord, openRecords, type RecordsFile } from './records.js';
import {
  joinMethods,
  QuestionDigests,
  type RunSettings,
  readSettings,
  runIdentity,
  writeSettings,
} from './run-settings.js';

/** Progress of a run. */
export interface RunProgress {
  /** Number of saved answers, including those of earlier starts, and of all answers. */
  readonly done: number;
  readonly total: number;
  readonly elapsedMs: number;
  /** Estimated time left; undefined before the first answer. */
  readonly leftMs?: number;
  readonly method: string;
  readonly budget: string;
}

/** What {@link runEvaluation} takes. */
export interface RunOptions {
  readonly task: Task;
  readonly model: EvalModel;
  readonly methods: readonly Method[];
  /** Who answers first, for methods with an agent. */
  readonly agents?: EvalAgents;
  /** Budgets as text: `'64'` tokens, `'10%'` of the tokens, `'c0.9'` for as many as MMTok needs to reach 90 % coverage. */
  readonly budgets: readonly string[];
  /** Where methods compute. The caller disposes it. */
  readonly backend: Backend;
  /** Folder of the run. An unfinished run in it is resumed. */
  readonly out: string;
  /** Maximum number of questions. */
  readonly limit?: number;
  /** Seed for choosing questions under a limit, and for random methods. @default 0 */
  readonly seed?: number;
  readonly shard?: Shard;
  /** Path of the dataset, see `Task.load`. */
  readonly from?: string | readonly string[];
  /** See `LoadOptions.followLinks`. */
  readonly followLinks?: boolean;
  /** Whether to skip and list questions that cannot be asked, e.g. with a damaged image, instead of stopping. */
  readonly skipBroken?: boolean;
  /** The command line, for the report. */
  readonly command?: string;
  readonly onProgress?: (progress: RunProgress) => void;
  /** Called with things worth knowing before the run continues. */
  readonly onNote?: (note: string) => void;
  /** Stops the run after the current answer. Results so far are kept. */
  readonly signal?: AbortSignal;
}

/** A run: its settings and records. */
export interface RunResult {
  readonly folder: string;
  readonly settings: RunSettings;
  readonly records: readonly EvalRecord[];
}

/**
 * Asks every question with all vision tokens and then with each method at each budget. Each answer is appended to
 * `records.jsonl` in `out` immediately. Called again with the same settings, it resumes, and adds new methods and budgets.
 * Questions about the same image are adjacent, so that a model encodes it once.
 *
 * @throws InvalidBudgetError, InvalidOptionsError for invalid options.
 * @throws RunError if the folder holds a run with other settings or questions, another process is running in it, or there are
 * no questions or duplicate ids.
 * @throws RunError for a question that cannot be asked, unless `skipBroken`.
 * @throws WriteError if the disk is full. Results so far are kept.
 * @throws RunStoppedError if `signal` stopped it.
 * @throws PruningError if a model keeps other tokens than chosen, or does not let a method choose.
 * @example
 * await runEvaluation({ task, model, backend, methods: [mmtok, divprune, random], budgets: ['64', '10%'], out: 'results' });
 */
export async function runEvaluation(options: RunOptions): Promise<RunResult> {
  const { task, model, methods, backend, out, limit, seed = 0, shard, from, onProgress } = options;
  const { agents = {}, followLinks, skipBroken = false, onNote, signal } = options;
  const jobs = jobsOf(methods, options.budgets);
  const wanted: LoadOptions = {
    ...(from !== undefined && { from }),
    ...(limit !== undefined && { limit }),
    ...(options.seed !== undefined && { seed }),
    ...(shard && { shard }),
    ...(followLinks !== undefined && { followLinks }),
  };
  parseLoadOptions(task.name, wanted);
  assertAgents(methods, agents);
  assertNeeds(methods, model);
  const hasAgent = methods.some(({ agent }) => agent === 'agent');
  const asked: RunSettings = {
    task: task.name,
    title: task.title,
    source: task.source.url,
    ...(task.options && { taskOptions: task.options }),
    model: model.name,
    ...(model.options && { modelOptions: model.options }),
    backend: `${backend.name} (${backend.device})`,
    methods: methods.map(({ name, title, source, needs }) => ({ name, title, source, needs: needs ?? [] })),
    ...(hasAgent && agents.agent && { agent: agents.agent.name }),
    budgets: options.budgets,
    seed,
    ...(limit !== undefined && { limit }),
    ...(shard && { shard }),
    machine: describeMachine(),
    started: new Date().toISOString(),
    ...(options.command !== undefined && { command: options.command }),
  };
  const file = openRecords(out);
  try {
    const before = settingsOfRecords(out, file);
    if (before !== undefined) assertSameRun(out, before, asked);
    const samples = byImage(await load(task, wanted));
    const digests = new QuestionDigests({
      isRandom: limit !== undefined && options.seed !== undefined,
      skips: skipBroken,
    });
    await digests.add(task, samples);
    if (before !== undefined) assertSameQuestions(out, before, file.records, digests);
    const settings = (): RunSettings => {
      const { questions, skipped } = digests;
      const { skipped: _, ...rest } = before === undefined ? asked : joinSettings(before, asked);
      // A run of a version that did not save its questions cannot be completed now.
      const isSilent = before !== undefined && before.questions === undefined;
      return { ...rest, ...(!isSilent && { questions }), ...(skipped.length > 0 && { skipped }) };
    };
    writeSettings(out, settings());
    const records = [...file.records];
    const progress = progressReporter(samples.length * jobs.length, onProgress);
    const kept = samples.flatMap(({ id }) =>
      jobs.filter(({ method, budget }) => file.has({ id, method: method?.name ?? ALL, budget })),
    );
    progress.skip(kept.length);
    const isAskable = ({ id }: Sample): boolean => digests.has(id);
    const [first] = samples.filter(isAskable);
    if (onNote && first) await noteUnpruned(options, first, jobs).catch(() => undefined);
    const unreachable = new Set<Job>();
    for (const sample of samples.filter(isAskable)) {
      const chooser = new TokenChooser(backend, hash(`${seed} ${sample.id}`));
      const context: QuestionContext = {
        chooser,
        agents: new AgentCache(agents, task, sample),
        digest: digests.short(sample.id),
      };
      for (const job of jobs) {
        const key = { id: sample.id, method: job.method?.name ?? ALL, budget: job.budget };
        if (unreachable.has(job) || file.has(key)) continue;
        if (signal?.aborted) throw new RunStoppedError(stoppedMessage(out, records.length));
        let record: EvalRecord;
        try {
          record = await askQuestion(options, sample, job, context);
        } catch (error) {
          if (MmtokError.isInstance(error, 'MMTOK_UNREACHABLE_BUDGET')) {
            // The first question decides for all: a comparison needs answers to the same questions.
            if (sample !== first) throw unreachableError(key, error);
            unreachable.add(job);
            progress.drop(samples.length);
            onNote?.(`${key.method} is left out at ${job.budget}. ${error.message}`);
            continue;
          }
          digests.skip(sample.id, error);
          break;
        }
        file.append(record);
        records.push(record);
        progress.step(record);
      }
    }
    if (digests.skipped.length > 0) writeSettings(out, settings());
    return { folder: out, settings: settings(), records };
  } finally {
    file.close();
  }
}

function unreachableError(
  { id, method, budget }: Pick<EvalRecord, 'id' | 'method' | 'budget'>,
  cause: Error,
): RunError {
  return new RunError(
    `Question '${id}' cannot be asked with '${method}' at ${budget}, unlike the questions before it. ${cause.message} ` +
      'Leave out the method or the budget',
    { cause },
  );
}

function stoppedMessage(out: string, answers: number): string {
  return `Stopped. The ${answers} answers so far are kept in '${out}': run the same command again to resume`;
}

/** Warns, before the first question is asked, about budgets that would not prune it, if the model can tell. */
async function noteUnpruned(
  { task, model, onNote }: RunOptions,
  sample: Sample,
  jobs: readonly Job[],
): Promise<void> {
  const counts = await model.countTokens?.({ images: sample.images, prompt: task.prompt(sample) });
  if (counts === undefined || counts.length === 0) return;
  const most = Math.max(...counts);
  const budgets = jobs.flatMap(({ budget, parsed }) =>
    parsed && !('coverage' in parsed) && counts.every((n) => resolveBudget(parsed, n).max >= n)
      ? [budget]
      : [],
  );
  for (const budget of new Set(budgets)) {
    onNote?.(
      `the budget ${budget} prunes nothing in the first question, whose image has ${most} vision tokens; choose a smaller one`,
    );
  }
}

/** Budgets at which no question lost a token: a mistake in the budget or the model rather than a perfect score. */
export function unprunedBudgets(records: readonly EvalRecord[]): string[] {
  const budgets = new Set(records.filter(({ method }) => method !== ALL).map(({ budget }) => budget));
  const pruned = records.filter(({ keptTokens, visionTokens }) => keptTokens < visionTokens);
  for (const { budget } of pruned) budgets.delete(budget);
  return [...budgets];
}

function jobsOf(methods: readonly Method[], budgets: readonly string[]): Job[] {
  const names = methods.map(({ name }) => name);
  for (const [what, list] of [
    ['methods', names],
    ['budgets', budgets],
  ] as const) {
    if (new Set(list).size < list.length)
      throw new InvalidOptionsError(what, ['each may be named only once']);
  }
  if (names.includes(ALL)) throw new InvalidOptionsError('methods', [`the name '${ALL}' is reserved`]);
  const pruned = budgets.flatMap((budget) =>
    methods.map((method): Job => ({ method, budget, parsed: parseBudget(budget) })),
  );
  return [{ method: undefined, budget: ALL, parsed: undefined }, ...pruned];
}

/** @throws InvalidOptionsError naming the methods that need something the model does not provide. */
function assertNeeds(methods: readonly Method[], { name: model, gives = ['question'] }: EvalModel): void {
  const starved = methods.flatMap(({ name, needs }) =>
    (needs ?? [])
      .filter((need) => !gives.includes(need))
      .map((need) => `'${name}' needs ${need}, which the model '${model}' does not provide; leave it out`),
  );
  if (starved.length > 0) throw new InvalidOptionsError('methods', starved);
}

/** The settings of the run in a folder; undefined if it has no records yet and there is nothing to resume. */
function settingsOfRecords(out: string, { records }: RecordsFile): RunSettings | undefined {
  if (records.length === 0) return undefined;
  const settings = readSettings(out);
  if (settings !== undefined) return settings;
  throw new RunError(
    `'${out}' holds records, but not the settings they were made with; choose another folder`,
  );
}

function assertSameRun(out: string, before: RunSettings, asked: RunSettings): void {
  if (runIdentity(before, true) !== runIdentity(asked, true)) {
    throw new RunError(
      `'${out}' holds a run with other settings (${runIdentity(before, true)}, not ${runIdentity(asked, true)}); ` +
        'choose another folder, or use the same settings to resume it',
    );
  }
  if (before.agent !== undefined && asked.agent !== undefined && before.agent !== asked.agent) {
    throw new RunError(
      `'${out}' holds answers with the agent '${before.agent}', not '${asked.agent}'; choose another folder`,
    );
  }
}

function assertSameQuestions(
  out: string,
  { questions: before }: RunSettings,
  records: readonly EvalRecord[],
  digests: QuestionDigests,
): void {
  const changed = digests.changed(records, before);
  if (changed.length === 0) return;
  const some = changed.slice(0, 3).map((id) => `'${id}'`);
  throw new RunError(
    `'${out}' holds answers to other questions: ${changed.length} of the answered ones have changed or are missing (${some.join(', ')}` +
      `${changed.length > some.length ? ', …' : ''}): their images, prompts or gold answers differ, or a seed chose others under the limit. ` +
      'Choose another folder, or use the original data and options',
  );
}

/** The settings of a resumed run, with these methods, budgets and the command added. */
function joinSettings(before: RunSettings, asked: RunSettings): RunSettings {
  const agent = asked.agent ?? before.agent;
  return {
    ...before,
    ...joinMethods([before, asked]),
    ...(agent !== undefined && { agent }),
    command: [...new Set([...(before.command?.split('; ') ?? []), asked.command ?? 'runEvaluation()'])].join(
      '; ',
    ),
  };
}

async function load(task: Task, wanted: LoadOptions): Promise<Sample[]> {
  const samples = new Map<string, Sample>();
  for await (const sample of task.load(wanted)) {
    if (samples.has(sample.id)) {
      throw new RunError(
        `The task '${task.name}' has two questions with the id '${sample.id}'; ids must be unique`,
      );
    }
    samples.set(sample.id, sample);
  }
  if (samples.size === 0) throw new RunError(`The task '${task.name}' has no questions`);
  return [...samples.values()];
}

const imageKey = ({ images }: Sample): string => images.map(({ id }) => id).join('\n');

/** The same samples, with those about the same images adjacent. */
function byImage(samples: readonly Sample[]): Sample[] {
  return [...groupBy(samples, imageKey).values()].flat();
}

function progressReporter(
  planned: number,
  report: RunOptions['onProgress'],
): { skip(count: number): void; drop(count: number): void; step(record: EvalRecord): void } {
  let total = planned;
  const started = performance.now();
  let skipped = 0;
  let done = 0;
  return {
    skip(count) {
      skipped = count;
    },
    drop(count) {
      total -= count;
    },
    step({ method, budget }) {
      done++;
      const elapsedMs = performance.now() - started;
      const leftMs = (elapsedMs / done) * (total - skipped - done);
      report?.({ done: skipped + done, total, elapsedMs, leftMs, method, budget });
    },
  };
}

/** FNV-1a hash of a text, as a 31-bit integer. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  return state >>> 1;
}
