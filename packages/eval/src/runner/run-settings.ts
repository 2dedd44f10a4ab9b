// What a run was made with: a JSON file beside its records, which a resumed or merged run must agree with.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { RUN_FILES } from '../data/folder.js';
import { RunError, WriteError } from '../errors.js';
import { explainWriteFailure, writeWhole } from './run-folder.js';
import { questionsSchema, type RunQuestions, type SkippedQuestion, skippedSchema } from './run-questions.js';

/** A method, as reports show it. */
export interface RunMethod {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** What it needs beside vision tokens. Absent in earlier versions. */
  readonly needs?: readonly string[] | undefined;
}

/** The settings of a run. */
export interface RunSettings {
  readonly task: string;
  /** The task, for people. */
  readonly title: string;
  /** Where the task's data is from, a page or a folder. Absent in runs of versions that did not write it. */
  readonly source?: string | undefined;
  /** How the task scores, e.g. `{ match: 'anls' }`, where that can be chosen. */
  readonly taskOptions?: Readonly<Record<string, string>> | undefined;
  readonly model: string;
  /** How the model ran, e.g. `{ dtype: 'q4' }`. */
  readonly modelOptions?: Readonly<Record<string, string>> | undefined;
  /** Where similarities were computed, e.g. `'ort (cpu)'`. */
  readonly backend: string;
  readonly methods: readonly RunMethod[];
  /** The model that answers first, where a method has an agent. */
  readonly agent?: string | undefined;
  /** Budgets as written. */
  readonly budgets: readonly string[];
  readonly seed: number;
  readonly limit?: number | undefined;
  readonly shard?: { readonly index: number; readonly count: number } | undefined;
  /** What is asked, in this shard if there is one. Absent in runs of versions that did not write it. */
  readonly questions?: RunQuestions | undefined;
  /** Questions that could not be asked and were left out; absent where there were none. */
  readonly skipped?: readonly SkippedQuestion[] | undefined;
  /** The processor, its cores and the version of Node, for tables of times. */
  readonly machine: string;
  /** When the run began, in ISO 8601. */
  readonly started: string;
  /** The command that made it, or all of them with semicolons between, where there was one. */
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
 * @throws RunError if they are not readable.
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
 * @throws InvalidOptionsError for settings that could not be read again, e.g. a method without a title.
 * @throws WriteError if the file cannot be written; one that was there stays as it was.
 */
export function writeSettings(folder: string, settings: RunSettings): void {
  parseOptions('settings of the run', settingsSchema, settings);
  const path = join(folder, RUN_FILES.settings);
  try {
    writeWhole(path, `${JSON.stringify(settings, null, 2)}\n`);
  } catch (cause) {
    throw new WriteError(
      `'${path}' cannot be written (${explainWriteFailure(cause)}). Answers so far are kept: mend that, then run the same command again to go on`,
      { cause },
    );
  }
}

/** In what two runs must agree for their records to belong together, as text: equal texts, equal runs. */
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

/** The methods and budgets of several runs, each once, in the order in which they come. */
export function joinMethods(runs: readonly RunSettings[]): Pick<RunSettings, 'methods' | 'budgets'> {
  const methods = new Map<string, RunSettings['methods'][number]>();
  for (const method of runs.flatMap((run) => run.methods)) {
    if (!methods.has(method.name)) methods.set(method.name, method);
  }
  return { methods: [...methods.values()], budgets: [...new Set(runs.flatMap(({ budgets }) => budgets))] };
}
