// `mmtok eval <task>`: asks the same questions for several methods and budgets, and saves each answer immediately.

import { stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import {
  type FolderTaskOptions,
  folderTask,
  getTask,
  type RunOptions,
  type RunProgress,
  type RunResult,
  type RunSummary,
  runEvaluation,
  SHAPES,
  SIGNS,
  shapesTask,
  signsTask,
  summarizeRun,
  type Task,
  taskNames,
  unprunedBudgets,
  writeReport,
} from '@mmtok/eval';
import { modelOptionsInWords, percent } from '@mmtok/eval/internal';
import type { TileBudget } from '@mmtok/transformers';
import type { BackendName } from '../../engines/create-backend.js';
import { EXIT, UsageError } from '../../errors.js';
import { evalAgent, evalOracle } from '../../models/eval-model.js';
import type { VlmOptions } from '../../models/vlm.js';
import { isEmbedded } from '../../options.js';
import { colorsFor, createStatusLine, type Io, type Output, print, printJson } from '../../terminal/io.js';
import { type Column, formatMs, renderTable } from '../../terminal/text.js';
import type { Context } from '../context.js';
import { namedMethods, runnableMethods } from './methods.js';

/** The parsed command line of `mmtok eval <task>`. */
export interface EvalRequest
  extends Pick<
    RunOptions,
    'budgets' | 'limit' | 'seed' | 'shard' | 'from' | 'followLinks' | 'skipBroken' | 'command'
  > {
  readonly task: string;
  readonly model: string;
  /** Names and module paths. */
  readonly methods: readonly string[];
  /** A model that answers first, for methods with an agent. */
  readonly agent?: string;
  readonly backend: BackendName;
  readonly device?: string;
  readonly dtype?: VlmOptions['dtype'];
  readonly promptTemplate?: string;
  /** Which tiles are encoded, including the overview; methods choose from their tokens. */
  readonly tiles?: TileBudget;
  /** How answers to a folder's questions are compared. */
  readonly match?: FolderTaskOptions['match'];
  readonly out: string;
  readonly json: boolean;
}

/**
 * Runs or resumes an evaluation, prints its table, and writes its report.
 * @returns The exit code.
 * @throws UsageError, InputFileError, InvalidOptionsError, InvalidBudgetError for invalid options.
 * @throws RunError if the folder holds another run; PruningError if nothing was pruned.
 */
export async function evaluate(request: EvalRequest, { io, services }: Context): Promise<number> {
  const { model, agent: agentName, device, dtype, promptTemplate, match, tiles, json, ...run } = request;
  const hasAgent = agentName !== undefined;
  const named = await namedMethods(request.methods, io.cwd, hasAgent);
  const task = await resolveTask(request.task, io.cwd, { ...(match !== undefined && { match }) });
  if (taskNames.includes(request.task) && isEmbedded(model)) {
    throw new UsageError(
      `The model '${model}' only knows drawn shapes, which '${task.name}' does not ask about. ` +
        'Choose another model, e.g. --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct.',
    );
  }
  const where = { ...(device !== undefined && { device }), ...(dtype !== undefined && { dtype }) };
  const progress = createEvalProgress(io.stderr);
  let silence: (() => void) | undefined;
  const opened: { dispose(): Promise<void> }[] = [];
  const open = <T extends { dispose(): Promise<void> }>(part: T): T => {
    opened.unshift(part);
    return part;
  };
  try {
    const backend = open(await services.createBackend(request.backend));
    const vlm = open(await services.loadEvalModel({ model, ...where, promptTemplate, tiles }, io));
    const agent =
      agentName === undefined
        ? undefined
        : evalAgent(agentName, open(await services.loadAgent({ model: agentName, ...where }, io)));
    const { methods, notes } = runnableMethods(named, vlm, hasAgent);
    for (const note of notes) print(io.stderr, `note: ${note}`);
    const stop = new AbortController();
    silence = io.interrupt?.listen(() => {
      progress.clear();
      print(
        io.stderr,
        'Stopping after this answer. Interrupt again to stop now; answers so far are kept either way.',
      );
      stop.abort();
    });
    const result = await runEvaluation({
      ...run,
      task,
      model: vlm,
      methods,
      agents: { oracle: evalOracle, ...(agent && { agent }) },
      backend,
      out: resolve(io.cwd, request.out),
      onProgress: progress.show,
      onNote: (note) => print(io.stderr, `note: ${note}`),
      signal: stop.signal,
    });
    progress.clear();
    return await reportResult(result, task, request, io);
  } finally {
    silence?.();
    progress.clear();
    for (const part of opened) await part.dispose();
  }
}

/** Prints the result of a run, writes its report, and lists problems. */
async function reportResult(
  result: RunResult,
  task: Task,
  { json, out }: EvalRequest,
  io: Context['io'],
): Promise<number> {
  const { skipped = [] } = result.settings;
  if (result.records.length === 0) {
    for (const { id, problem } of skipped) print(io.stderr, `skipped: question '${id}': ${problem}`);
    print(io.stderr, 'error: No question could be asked.');
    return EXIT.failure;
  }
  const summary = summarizeRun(result, task);
  if (json) printJson(io.stdout, summary);
  else printEvaluation(summary, io);
  const paths = await writeReport(result, task);
  if (!json) print(io.stdout, `Report: ${relative(io.cwd, paths[0] ?? out)}`);
  for (const { id, problem } of skipped) print(io.stderr, `skipped: question '${id}': ${problem}`);
  const unpruned = unprunedBudgets(result.records);
  if (unpruned.length > 0) {
    const most = result.records.reduce((found, { visionTokens }) => Math.max(found, visionTokens), 0);
    print(
      io.stderr,
      `error: Nothing was pruned at ${unpruned.join(', ')}: no question has more vision tokens (maximum: ${most}). ` +
        'The results are kept; use a smaller budget.',
    );
    return EXIT.failure;
  }
  if (skipped.length === 0) return EXIT.ok;
  print(
    io.stderr,
    `error: ${skipped.length} of ${skipped.length + summary.questions} questions were skipped; fix them and run again.`,
  );
  return EXIT.incomplete;
}

const columnsOf = (hasAgent: boolean): readonly Column[] => [
  { title: 'method' },
  ...[
    'budget',
    'tokens',
    'score',
    'retention',
    '95 % interval',
    ...(hasAgent ? ['agent'] : []),
    'select',
    'first token',
  ].map((title) => ({ title, align: 'right' }) as const),
];

/** Prints the table of a run. */
export function printEvaluation(summary: RunSummary, { stdout, env }: Io): void {
  const colors = colorsFor(stdout, env);
  const { settings, full, rows, questions } = summary;
  const hasAgent = rows.some(({ times }) => times.agentMs > 0);
  const inMs = (ms: number): string => `${formatMs(ms)} ms`;
  const modelOptions = modelOptionsInWords(settings);
  const model = modelOptions === '' ? settings.model : `${settings.model} (${modelOptions})`;
  print(
    stdout,
    `${colors.bold(settings.title)}: ${questions} questions, model ${model}, methods on ${settings.backend}`,
  );
  const lines = [
    [
      'all tokens',
      '',
      full.visionTokens.toFixed(0),
      percent(full.score),
      '100',
      '',
      '',
      ...(hasAgent ? [''] : []),
      inMs(full.times.firstTokenMs),
    ],
    ...rows.map(
      ({ method, title, questions: answered, budget, keptTokens: tokens, score, retention, times }) => [
        (answered < questions ? `${method} (${answered} of ${questions} questions)` : method) +
          (title.endsWith('(nothing pruned)') ? ' (nothing pruned)' : ''),
        budget,
        tokens.toFixed(tokens % 1 === 0 ? 0 : 1),
        percent(score),
        retention ? percent(retention.value) : '–',
        retention ? `${percent(retention.low)}–${percent(retention.high)}` : '',
        ...(hasAgent ? [inMs(times.agentMs)] : []),
        inMs(times.selectMs),
        inMs(times.firstTokenMs),
      ],
    ),
  ];
  for (const line of renderTable(columnsOf(hasAgent), lines, stdout.columns ?? 100)) print(stdout, line);
  print(stdout);
  print(
    stdout,
    colors.dim(
      `Scores and retention in percent; intervals by paired bootstrap; median times on ${settings.machine}.`,
    ),
  );
}

const LOG_EVERY_MS = 60_000;

/** Shows the progress of a run. */
export interface EvalProgress {
  show(progress: RunProgress): void;
  /** Removes the line. */
  clear(): void;
}

/** Progress on a stream. */
export function createEvalProgress(output: Output): EvalProgress {
  const status = createStatusLine(output);
  let loggedMs = 0;
  return {
    show(progress) {
      const text = inWords(progress);
      if (output.isTTY === true) status.show(text);
      else if (progress.elapsedMs - loggedMs >= LOG_EVERY_MS) {
        loggedMs = progress.elapsedMs;
        print(output, text);
      }
    },
    clear: () => status.clear(),
  };
}

function inWords({ done, total, leftMs, method, budget }: RunProgress): string {
  const left = leftMs === undefined ? '' : `, ${timeInWords(leftMs)} left`;
  return `${done} of ${total} answers${left} – ${method} at ${budget}`;
}

/** `50 s`, `12 min`, `3.5 h` */
function timeInWords(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

// Finds the task that a command line names: an embedded benchmark, a public benchmark, or a folder.

/**
 * Finds a task: `shapes`, `signs`, a built-in one by name, or a folder of images with a JSONL file of questions and answers.
 * @param options for a folder.
 * @throws UsageError for a folder that is not written as a path, for options that the task does not take, and for anything else.
 */
export async function resolveTask(name: string, cwd: string, options: FolderTaskOptions = {}): Promise<Task> {
  const isPath = /[/\\]|^\.+$/.test(name);
  if (options.match !== undefined && !isPath) {
    throw new UsageError(
      `--match: '${name}' defines how its answers are compared; --match is for your own folder, such as ./my-task.`,
    );
  }
  if (name === SHAPES || name === SIGNS) {
    const { heldOut } = await import('@mmtok/tiny-vlm');
    return (
      name === SHAPES ? shapesTask(await heldOut()) : signsTask(await heldOut({ size: 'tiled' }))
    ) as Task;
  }
  const path = resolve(cwd, name);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  // A folder must be written as a path, so that a name means the same in every folder.
  if (isFolder && isPath) return folderTask(path, options) as Task;
  if (isFolder && !taskNames.includes(name)) {
    throw new UsageError(`There is no task '${name}'. For the folder of that name, write ./${name}.`);
  }
  if (taskNames.includes(name)) return getTask(name);
  throw new UsageError(
    `There is no task '${name}'. Tasks are ${[SHAPES, SIGNS, ...taskNames].join(', ')}, and folders such as ./my-task. ` +
      'mmtok eval --help also lists the subcommands.',
  );
}
