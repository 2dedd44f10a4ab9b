// The benchmarks by name, and ways to define your own tasks.

import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { UnknownTaskError } from '../errors.js';
import { PROFILES, type Profile } from '../metrics/harness.js';
import { chartQa, docVqa, ocrBench } from './documents.js';
import { mmmu } from './mmmu.js';
import { mmbench, mmstar, scienceQaImg, seedBench } from './multiple-choice.js';
import { gqa, textVqa, textVqaOcr, vizWiz, vqav2 } from './open-answers.js';
import type { Task } from './task.js';
import { mme, pope } from './yes-no.js';

export type { ImageSource } from '../data/folder.js';
export { UnknownFormatError, UnknownTaskError } from '../errors.js';
export { defineTask, summarize, summarizeMean, type TaskDefinition } from './define-task.js';
export { type FolderTaskOptions, folderTask, MATCHES, type Match } from './folder-task.js';
export { SHAPES, type ShapesQuestion, SIGNS, shapesTask, signsTask } from './shapes.js';
export type {
  Detail,
  LoadOptions,
  PaperColumn,
  Sample,
  Score,
  ScoredAnswer,
  Shard,
  Summary,
  Task,
  TaskSource,
} from './task.js';

const TASKS: ReadonlyMap<string, (profile: Profile) => Task> = new Map<string, (profile: Profile) => Task>([
  ['gqa', () => gqa],
  ['mmbench', () => mmbench],
  ['mme', () => mme],
  ['pope', () => pope],
  ['scienceqa-img', scienceQaImg],
  ['vqav2', vqav2],
  ['textvqa', () => textVqa],
  ['textvqa-ocr', () => textVqaOcr],
  ['mmmu', mmmu],
  ['seedbench', () => seedBench],
  ['vizwiz', () => vizWiz],
  ['ocrbench', ocrBench],
  ['mmstar', mmstar],
  ['chartqa', () => chartQa],
  ['docvqa', () => docVqa],
]);

/** The names of the built-in tasks. */
export const taskNames: readonly string[] = [...TASKS.keys()];

/** Options of {@link getTask}. */
export interface TaskOptions {
  /** Which release of the reference harness to score like. @default 'latest' */
  readonly profile?: Profile;
}

const schema = z.strictObject({ profile: z.enum(PROFILES).default('latest') });

/**
 * A built-in task.
 * @throws UnknownTaskError for a name that is not in {@link taskNames}.
 * @throws InvalidOptionsError
 *
 * @example
 * const task = getTask('pope');
 * for await (const sample of task.load({ from: './POPE', limit: 100, seed: 0 })) {
 *   const answer = await ask(sample.images, task.prompt(sample));
 *   console.log(task.score(answer, sample).value);
 * }
 */
export function getTask(name: string, options: TaskOptions = {}): Task {
  const { profile } = parseOptions('options of getTask', schema, options);
  const make = TASKS.get(name);
  if (make === undefined) throw new UnknownTaskError(name, taskNames);
  return make(profile);
}
