// The settings of a run: a JSON file next to its records, which a resumed or merged run must agree with.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { RUN_FILES } from '../data/folder.js';
import { RunError, WriteError } from '../errors.js';
import { explainWriteFailure, writeWhole } from './run-folder.js';
import { questionsSchema, type RunQuestions, type SkippedQuestion, skippedSchema } from './run-questions.js';

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
  /** How the task scores, where that can be chosen, e.g. `{ match: 'anls' }`. */
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

const settingsSchema = z.object({
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
      `'${path}' cannot be written (${explainWriteFailure(cause)}). Answers so far are kept: fix that, then run the same command again to resume`,
      { cause },
    );
  }
}

/** What two runs must share for their records to belong together, as text: equal texts, equal runs. */
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
