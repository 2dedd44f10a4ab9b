// The settings of a run: a JSON file next to its records, which a resumed or merged run must agree with, and digests of its
// questions.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MmtokError } from '@mmtok/core';
import { explainFileError, parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { type ImageSource, RUN_FILES } from '../data/folder.js';
import { RunError, WriteError } from '../errors.js';
import type { Sample, Task } from '../tasks/task.js';
import type { EvalRecord } from './records.js';
import { writeWhole } from './run-folder.js';

// Identifies the questions of a run: their number, a digest of each, and a digest of all.

/** The questions of a run. */
export interface RunQuestions {
  readonly count: number;
  /** Digest of ids, prompts, images and gold answers, in any order. */
  readonly digest: string;
  /** Whether a limit took random questions, by the seed; otherwise it took the first. */
  readonly isRandom: boolean;
}

/** A question that could not be asked. */
export interface SkippedQuestion {
  readonly id: string;
  /** The reason. */
  readonly problem: string;
}

/** Errors caused by one question's data rather than by the run. */
const BROKEN_QUESTION: ReadonlySet<string> = new Set([
  'MMTOK_BROKEN_QUESTION',
  'MMTOK_CORRUPT_FILE',
  'MMTOK_INPUT_FILE',
  'MMTOK_MISSING_FILE',
]);

/** Thrown by a model for a question that cannot be asked, e.g. because its image is damaged. */
export class BrokenQuestionError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_BROKEN_QUESTION', problem, { kind: 'data', ...options });
  }
}

const BYTES = 32;
/** Hexadecimal digits of the digest in a record. */
const SHORT = 16;

const questionsSchema: z.ZodType<RunQuestions> = z.object({
  count: z.int().nonnegative(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  isRandom: z.boolean(),
});

const skippedSchema: z.ZodType<readonly SkippedQuestion[]> = z.array(
  z.object({ id: z.string(), problem: z.string() }),
);

// The settings.

/** A method, as shown in reports. */
export interface RunMethod {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** What it needs besides vision tokens. Absent in old versions. */
  readonly needs?: readonly string[] | undefined;
}

/** The settings of a run. */
export interface RunSettings {
  readonly task: string;
  /** The task's title. */
  readonly title: string;
  /** Page or folder of the task's data. Absent in old versions. */
  readonly source?: string | undefined;
  /** How the task scores, if that can be chosen, e.g. `{ match: 'anls' }`. */
  readonly taskOptions?: Readonly<Record<string, string>> | undefined;
  readonly model: string;
  /** Configuration of the model, e.g. `{ dtype: 'q4' }`. */
  readonly modelOptions?: Readonly<Record<string, string>> | undefined;
  /** Where methods computed, e.g. `'ort (cpu)'`. */
  readonly backend: string;
  readonly methods: readonly RunMethod[];
  /** The model that answers first, if a method has an agent. */
  readonly agent?: string | undefined;
  /** Budgets as written. */
  readonly budgets: readonly string[];
  readonly seed: number;
  readonly limit?: number | undefined;
  readonly shard?: { readonly index: number; readonly count: number } | undefined;
  /** The questions, of this shard if there is one. Absent in old versions. */
  readonly questions?: RunQuestions | undefined;
  /** Skipped questions; absent if there are none. */
  readonly skipped?: readonly SkippedQuestion[] | undefined;
  /** Processor, cores and Node version, for tables of times. */
  readonly machine: string;
  /** Start time, in ISO 8601. */
  readonly started: string;
  /** The command or commands that made it, joined by semicolons. */
  readonly command?: string | undefined;
}

const settingsSchema: z.ZodType<RunSettings> = z.object({
  task: z.string(),
  title: z.string(),
  source: z.string().optional(),
  taskOptions: z.record(z.string(), z.string()).optional(),
  model: z.string(),
  modelOptions: z.record(z.string(), z.string()).optional(),
  backend: z.string(),
  methods: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      source: z.string(),
      needs: z.array(z.string()).optional(),
    }),
  ),
  agent: z.string().optional(),
  budgets: z.array(z.string()),
  seed: z.int(),
  limit: z.int().optional(),
  shard: z.object({ index: z.int(), count: z.int() }).optional(),
  questions: questionsSchema.optional(),
  skipped: skippedSchema.optional(),
  machine: z.string(),
  started: z.string(),
  command: z.string().optional(),
});

/**
 * Reads the settings of the run in a folder; undefined if there is none.
 * @throws RunError if they cannot be parsed.
 */
export function readSettings(folder: string): RunSettings | undefined {
  const path = join(folder, RUN_FILES.settings);
  if (!existsSync(path)) return undefined;
  try {
    return settingsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new RunError(`'${path}' does not hold the settings of an evaluation`, { cause });
  }
}

/**
 * Writes the settings of a run.
 * @throws InvalidOptionsError for settings that could not be read back, e.g. a method without a title.
 * @throws WriteError if the file cannot be written; an existing one stays unchanged.
 */
export function writeSettings(folder: string, settings: RunSettings): void {
  parseOptions('settings of the run', settingsSchema, settings);
  const path = join(folder, RUN_FILES.settings);
  try {
    writeWhole(path, `${JSON.stringify(settings, null, 2)}\n`);
  } catch (cause) {
    throw new WriteError(
      `'${path}' cannot be written (${explainFileError(cause)}). Answers so far are kept: fix that, then run the same command again to resume`,
      { cause },
    );
  }
}

/** What two runs must have in common for their records to belong together, as text to compare. */
export function runIdentity(
  { task, taskOptions, model, modelOptions = {}, backend, seed, limit, shard }: RunSettings,
  withShard: boolean,
): string {
  const sorted = (options: Readonly<Record<string, string>>): object =>
    Object.fromEntries(Object.entries(options).sort(([a], [b]) => a.localeCompare(b)));
  return JSON.stringify({
    task,
    taskOptions: taskOptions && sorted(taskOptions),
    model,
    ...sorted(modelOptions),
    backend,
    seed,
    limit,
    ...(withShard && { shard }),
  });
}

/** The methods and budgets of several runs without duplicates, in order of appearance. */
export function joinMethods(runs: readonly RunSettings[]): Pick<RunSettings, 'methods' | 'budgets'> {
  const methods = new Map<string, RunSettings['methods'][number]>();
  for (const method of runs.flatMap((run) => run.methods)) {
    if (!methods.has(method.name)) methods.set(method.name, method);
  }
  return { methods: [...methods.values()], budgets: [...new Set(runs.flatMap(({ budgets }) => budgets))] };
}

// Digests of questions.

/** The digests of a run's questions. Questions found to be broken are removed. */
export class QuestionDigests {
  readonly skipped: SkippedQuestion[] = [];
  private readonly digests = new Map<string, string>();
  private readonly isRandom: boolean;
  private readonly skips: boolean;

  constructor(options: { readonly isRandom: boolean; readonly skips: boolean }) {
    this.isRandom = options.isRandom;
    this.skips = options.skips;
  }

  /**
   * Reads the questions, including image files: the digest depends on their contents rather than their paths, so a folder may move
   * between runs.
   * @throws RunError for a question whose image cannot be read, unless broken questions are skipped.
   */
  async add(task: Task, samples: readonly Sample[]): Promise<void> {
    const imageDigests = new Map<string, string>();
    for (const sample of samples) {
      try {
        for (const image of sample.images) {
          if (!imageDigests.has(image.id)) imageDigests.set(image.id, await digestOfImage(image));
        }
      } catch (error) {
        this.skip(sample.id, error);
        continue;
      }
      const shown = sample.images.map(({ id }) => imageDigests.get(id));
      const asked = JSON.stringify([sample.id, task.prompt(sample), shown, sample.target]);
      this.digests.set(sample.id, sha256(asked));
    }
  }

  /**
   * Skips a question because of an error in its data.
   * @throws RunError naming the question, unless broken questions are skipped. Other errors are rethrown.
   */
  skip(id: string, error: unknown): void {
    if (!MmtokError.isInstance(error) || !BROKEN_QUESTION.has(error.code)) throw error;
    if (!this.skips) {
      throw new RunError(
        `Question '${id}' cannot be asked: ${error.message.replace(/\.$/, '')}. Answers so far are kept: fix it and run again ` +
          'to resume, or skip such questions (--skip-broken, or skipBroken)',
        { cause: error },
      );
    }
    this.digests.delete(id);
    this.skipped.push({ id, problem: error.message });
  }

  /** Whether a question is not known to be broken. */
  has(id: string): boolean {
    return this.digests.has(id);
  }

  /** The part of a question's digest that records keep. */
  short(id: string): string {
    return (this.digests.get(id) ?? '').slice(0, SHORT);
  }

  /** All questions that can be asked. */
  get questions(): RunQuestions {
    const digest = joinDigests([...this.digests.values()]);
    return { count: this.digests.size, digest, isRandom: this.isRandom };
  }

  /**
   * Ids of answered questions that have since changed or disappeared. Records of old versions, without a digest per question, are
   * checked against the digest of all questions.
   * @param before the questions of the run when it was started, if saved.
   */
  changed(records: readonly EvalRecord[], before: RunQuestions | undefined): string[] {
    const isSame = before === undefined || before.digest === this.questions.digest;
    const isSkipped = new Set(this.skipped.map(({ id }) => id));
    const changed = records.filter(({ id, digest }) => {
      if (isSkipped.has(id)) return false;
      return digest === undefined ? !isSame : digest !== this.short(id);
    });
    return [...new Set(changed.map(({ id }) => id))];
  }
}

/** Describes the questions of several runs together. */
export function joinQuestions(parts: readonly [RunQuestions, ...RunQuestions[]]): RunQuestions {
  return {
    count: parts.reduce((count, part) => count + part.count, 0),
    digest: joinDigests(parts.map(({ digest }) => digest)),
    isRandom: parts[0].isRandom,
  };
}

/** Exclusive or: independent of order and grouping, so shards combine to the digest of the whole. */
function joinDigests(digests: readonly string[]): string {
  const joined = Buffer.alloc(BYTES);
  for (const digest of digests) {
    for (const [at, byte] of Buffer.from(digest, 'hex').entries()) joined[at] = (joined[at] ?? 0) ^ byte;
  }
  return joined.toString('hex');
}

async function digestOfImage(image: ImageSource): Promise<string> {
  return image.path === undefined ? image.id : sha256(await image.read());
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
