// The runner: the same questions for every method and budget, each answer kept as it comes.

import { type Backend, InvalidOptionsError, parseBudget } from '@mmtok/core';
import { resolveBudget } from '@mmtok/core/internal';
import { describeMachine } from '../describe-machine.js';
import { RunError, RunStoppedError } from '../errors.js';
import type { Method } from '../methods/method.js';
import { parseLoadOptions } from '../tasks/load.js';
import type { LoadOptions, Sample, Shard, Task } from '../tasks/task.js';
import { askQuestion, type Desk, type Job, TokenChooser } from './ask-question.js';
import type { EvalModel } from './model.js';
import { AgentDesk, assertAgents, type EvalAgents } from './model.js';
import { ALL, type EvalRecord, openRecords, type RecordsFile } from './records.js';
import { QuestionDigests } from './run-questions.js';
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
  readonly methods: readonly Method[];
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
  /** See `LoadOptions.followLinks`. */
  readonly followLinks?: boolean;
  /** Leave out questions whose picture is damaged, or that cannot be asked, and name them; else the first one ends the run. */
  readonly skipBroken?: boolean;
  /** The command line, for the report. */
  readonly command?: string;
  readonly onProgress?: (progress: RunProgress) => void;
  /** What should be known before the run goes on, in words. */
  readonly onNote?: (note: string) => void;
  /** Stops the run after the answer that is under way; what it has measured is kept. */
  readonly signal?: AbortSignal;
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
 * @throws RunError for a question that cannot be asked, unless `skipBroken`.
 * @throws WriteError for a full disk. What was measured is kept.
 * @throws RunStoppedError if `signal` stopped it.
 * @throws PruningError if a model prunes otherwise than told, or does not let a method choose.
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
    const samples = byPicture(await load(task, wanted));
    const digests = new QuestionDigests({
      isRandom: limit !== undefined && options.seed !== undefined,
      skips: skipBroken,
    });
    await digests.add(task, samples);
    if (before !== undefined) assertSameQuestions(out, before, file.records, digests);
    const settings = (): RunSettings => {
      const { questions, skipped } = digests;
      const { skipped: _, ...rest } = before === undefined ? asked : joinSettings(before, asked);
      // A version that did not say what it asked cannot be made to say it afterwards.
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
    for (const sample of samples.filter(isAskable)) {
      const chooser = new TokenChooser(backend, hash(`${seed} ${sample.id}`));
      const desk: Desk = {
        chooser,
        desk: new AgentDesk(agents, task, sample),
        digest: digests.short(sample.id),
      };
      for (const job of jobs) {
        const key = { id: sample.id, method: job.method?.name ?? ALL, budget: job.budget };
        if (file.has(key)) continue;
        if (signal?.aborted) throw new RunStoppedError(stoppedMessage(out, records.length));
        let record: EvalRecord;
        try {
          record = await askQuestion(options, sample, job, desk);
        } catch (error) {
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

function stoppedMessage(out: string, answers: number): string {
  return `Stopped. The ${answers} answers so far are kept in '${out}': run the same command again to go on`;
}

/** Says of budgets that leave the first question as it is so before it is asked, where the model can tell. */
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
      `the budget ${budget} prunes nothing in the first question, whose picture has ${most} vision tokens; ask for fewer`,
    );
  }
}

/** Budgets at which no question lost a token: a mistake in the budget or the model, not a perfect score. */
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
  if (names.includes(ALL)) throw new InvalidOptionsError('methods', [`the name '${ALL}' is taken`]);
  const pruned = budgets.flatMap((budget) =>
    methods.map((method): Job => ({ method, budget, parsed: parseBudget(budget) })),
  );
  return [{ method: undefined, budget: ALL, parsed: undefined }, ...pruned];
}

/** @throws InvalidOptionsError for methods that need what the model does not give, by name. */
function assertNeeds(methods: readonly Method[], { name: model, gives = ['question'] }: EvalModel): void {
  const starved = methods.flatMap(({ name, needs }) =>
    (needs ?? [])
      .filter((need) => !gives.includes(need))
      .map((need) => `'${name}' needs ${need}, which the model '${model}' does not give; leave it out`),
  );
  if (starved.length > 0) throw new InvalidOptionsError('methods', starved);
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
    `'${out}' holds answers to other questions: ${changed.length} of those answered have changed or are gone (${some.join(', ')}` +
      `${changed.length > some.length ? ', …' : ''}): their pictures, prompts or gold answers, or a seed chose others under the limit. ` +
      'Choose another folder, or give what it was begun with',
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
