// The runner: the same questions for every method and budget, each answer kept as it comes.

import { type Backend, InvalidOptionsError, parseBudget } from '@mmtok/core';
import { describeMachine } from '../describe-machine.js';
import type { Selector } from '../methods/selector.js';
import { parseLoadOptions } from '../tasks/load-options.js';
import type { LoadOptions, Sample, Shard, Task } from '../tasks/task.js';
import { askQuestion, type Job } from './ask-question.js';
import { TokenChooser } from './choose-tokens.js';
import { AgentDesk, assertAgents, type EvalAgents } from './eval-agent.js';
import type { EvalModel } from './eval-model.js';
import { ALL, type EvalRecord } from './record.js';
import { openRecords, type RecordsFile } from './records-file.js';
import { PruningError, RunError } from './run-error.js';
import { questionsOf, type RunQuestions } from './run-questions.js';
import { joinMethods, type RunSettings, readSettings, runIdentity, writeSettings } from './run-settings.js';

/** How far a run is. */
export interface RunProgress {
  /** Answers kept so far, those of an earlier start included, and answers in all. */
  readonly done: number;
  readonly total: number;
  readonly elapsedMs: number;
  /** Estimate of the time left; undefined before the first answer. */
  readonly leftMs?: number;
  readonly method: string;
  readonly budget: string;
}

/** What {@link runEvaluation} takes. */
export interface RunOptions {
  readonly task: Task;
  readonly model: EvalModel;
  readonly methods: readonly Selector[];
  /** Who answers first for methods that have an agent. */
  readonly agents?: EvalAgents;
  /** Budgets as text: `'64'` tokens, `'10%'` of them, `'c0.9'` for as many as MMTok needs for 90 % of the coverage. */
  readonly budgets: readonly string[];
  /** Where methods compute; the caller disposes it. */
  readonly backend: Backend;
  /** Folder of the run; an unfinished run in it goes on. */
  readonly out: string;
  /** At most so many questions. */
  readonly limit?: number;
  /** For the choice of questions under a limit, and for methods that draw at random. @default 0 */
  readonly seed?: number;
  readonly shard?: Shard;
  /** Where the dataset lies, see `Task.load`. */
  readonly from?: string | readonly string[];
  /** The command line, for the report. */
  readonly command?: string;
  readonly onProgress?: (progress: RunProgress) => void;
}

/** What a run comes to. */
export interface RunResult {
  readonly folder: string;
  readonly settings: RunSettings;
  readonly records: readonly EvalRecord[];
}

/**
 * Asks every question with all vision tokens and then with each method at each budget. Every answer is a line of
 * `records.jsonl` in `out` as soon as it is there; started again with the same settings, a run goes on where it was, and
 * further methods and budgets are added to it. Questions about one picture come after each other, so that a model
 * encodes it once.
 *
 * @throws InvalidBudgetError, InvalidOptionsError for wrong options.
 * @throws RunError if the folder holds a run of other settings or questions, or another process runs in it; if there are
 * no questions, or two of one id.
 * @throws PruningError if a model prunes otherwise than told or not at all.
 * @example
 * await runEvaluation({ task, model, backend, methods: [mmtok, divprune, random], budgets: ['64', '10%'], out: 'results' });
 */
export async function runEvaluation(options: RunOptions): Promise<RunResult> {
  const { task, model, methods, backend, out, limit, seed = 0, shard, from, onProgress } = options;
  const { agents = {} } = options;
  const jobs = jobsOf(methods, options.budgets);
  const wanted: LoadOptions = {
    ...(from !== undefined && { from }),
    ...(limit !== undefined && { limit }),
    ...(options.seed !== undefined && { seed }),
    ...(shard && { shard }),
  };
  parseLoadOptions(task.name, wanted);
  assertAgents(methods, agents);
  const hasAgent = methods.some(({ agent }) => agent === 'agent');
  const asked: RunSettings = {
    task: task.name,
    title: task.title,
    source: task.source.url,
    model: model.name,
    ...(model.options && { modelOptions: model.options }),
    backend: `${backend.name} (${backend.device})`,
    methods: methods.map(({ name, title, source }) => ({ name, title, source })),
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
    const samples = byPicture(await load(task, wanted));
    const isRandom = limit !== undefined && options.seed !== undefined;
    const questions = await questionsOf(task, samples, isRandom);
    if (before !== undefined) assertSameQuestions(out, before, questions);
    const settings = before === undefined ? { ...asked, questions } : joinSettings(before, asked);
    writeSettings(out, settings);
    const records = [...file.records];
    const progress = progressReporter(samples.length * jobs.length, onProgress);
    const skipped = samples.flatMap(({ id }) =>
      jobs.filter(({ method, budget }) => file.has({ id, method: method?.name ?? ALL, budget })),
    );
    progress.skip(skipped.length);
    for (const sample of samples) {
      const chooser = new TokenChooser(backend, hash(`${seed} ${sample.id}`));
      const desk = new AgentDesk(agents, task, sample);
      for (const job of jobs) {
        const key = { id: sample.id, method: job.method?.name ?? ALL, budget: job.budget };
        if (file.has(key)) continue;
        const record = await askQuestion(options, sample, job, { chooser, desk });
        file.append(record);
        records.push(record);
        progress.step(record);
      }
    }
    assertPruned(records, jobs);
    return { folder: out, settings, records };
  } finally {
    file.close();
  }
}

function jobsOf(methods: readonly Selector[], budgets: readonly string[]): Job[] {
  const names = methods.map(({ name }) => name);
  for (const [what, list] of [
    ['methods', names],
    ['budgets', budgets],
  ] as const) {
    if (new Set(list).size < list.length)
      throw new InvalidOptionsError(what, ['each may be named only once']);
  }
  if (names.includes(ALL)) throw new InvalidOptionsError('methods', [`the name '${ALL}' is taken`]);
  const pruned = budgets.flatMap((budget) =>
    methods.map((method): Job => ({ method, budget, parsed: parseBudget(budget) })),
  );
  return [{ method: undefined, budget: ALL, parsed: undefined }, ...pruned];
}

/** The settings of the run in a folder; undefined where it has no record yet, as then there is nothing to go on with. */
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
      `'${out}' holds a run of other settings (${runIdentity(before, true)}, not ${runIdentity(asked, true)}); ` +
        'choose another folder, or start it with the same settings to go on',
    );
  }
  if (before.agent !== undefined && asked.agent !== undefined && before.agent !== asked.agent) {
    throw new RunError(
      `'${out}' holds answers with the agent '${before.agent}', not '${asked.agent}'; choose another folder`,
    );
  }
}

function assertSameQuestions(out: string, { questions: before }: RunSettings, questions: RunQuestions): void {
  if (before === undefined || before.digest === questions.digest) return;
  throw new RunError(
    `'${out}' holds answers to other questions (${before.count}, of now ${questions.count}): the data, its prompts or gold answers have ` +
      'changed since, or a seed chose others under the limit; choose another folder, or give what it was begun with',
  );
}

/** The settings of a run that goes on, with these methods, budgets and the command added. */
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
        `The task '${task.name}' gave two questions with the id '${sample.id}'; give each an id of its own`,
      );
    }
    samples.set(sample.id, sample);
  }
  if (samples.size === 0) throw new RunError(`The task '${task.name}' gave no questions`);
  return [...samples.values()];
}

const pictureOf = ({ images }: Sample): string => images.map(({ id }) => id).join('\n');

/** The same samples, those about the same pictures after each other. */
function byPicture(samples: readonly Sample[]): Sample[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const group = groups.get(pictureOf(sample));
    if (group === undefined) groups.set(pictureOf(sample), [sample]);
    else group.push(sample);
  }
  return [...groups.values()].flat();
}

/** Pruning that keeps everything is a mistake in the budget or the model, not a perfect score. */
function assertPruned(records: readonly EvalRecord[], jobs: readonly Job[]): void {
  for (const budget of new Set(jobs.filter(({ method }) => method).map((job) => job.budget))) {
    const own = records.filter((record) => record.budget === budget);
    if (own.some(({ tokensKept, tokensBefore }) => tokensKept < tokensBefore)) continue;
    throw new PruningError(
      `Nothing was pruned at budget '${budget}': no question had more vision tokens than that (the most: ` +
        `${own.reduce((most, { tokensBefore }) => Math.max(most, tokensBefore), 0)}); ask for fewer tokens`,
    );
  }
}

function progressReporter(
  total: number,
  report: RunOptions['onProgress'],
): { skip(count: number): void; step(record: EvalRecord): void } {
  const started = performance.now();
  let skipped = 0;
  let done = 0;
  return {
    skip(count) {
      skipped = count;
    },
    step({ method, budget }) {
      done++;
      const elapsedMs = performance.now() - started;
      const leftMs = (elapsedMs / done) * (total - skipped - done);
      report?.({ done: skipped + done, total, elapsedMs, leftMs, method, budget });
    },
  };
}

/** FNV-1a of a text, as a whole number of 31 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  return state >>> 1;
}
