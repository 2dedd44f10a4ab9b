// Samples from original files of a dataset, in a form that tests can compare.

import { basename } from 'node:path';
import { getTask, type LoadOptions, type Sample } from '../src/tasks/index.js';
import { collect, writeFolder } from './data-writers.js';

/** Files by path, as `writeFolder` takes them. */
export type Files = Parameters<typeof writeFolder>[0];

/** Writes the files and loads a task from them. */
export const load = (name: string, files: Files, options: LoadOptions = {}): Promise<Sample[]> =>
  collect(getTask(name).load({ from: writeFolder(files), ...options }));

/** A sample with its images as file names, to compare. */
export function seen({ images, ...sample }: Sample): object {
  return {
    ...sample,
    images: images.map(({ path, id }) => (path === undefined ? id.slice(0, 5) : basename(path))),
  };
}

/** Answers as VQA datasets store them. */
export const answers = (
  ...list: string[]
): { answer: string; answer_confidence: string; answer_id: number }[] =>
  list.map((answer, index) => ({ answer, answer_confidence: 'yes', answer_id: index + 1 }));
