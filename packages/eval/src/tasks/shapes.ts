// The embedded benchmarks: held-out questions about drawn shapes and signs, as tasks.

import { basename } from 'node:path';
import { imageFile } from '../data/folder.js';
import { memoryTable } from '../data/table.js';
import { chooseRows, parseLoadOptions, summarizeMean } from './define-task.js';
import type { Sample, Task } from './task.js';

/** Enough for the longest phrase, `mostly red objects on gray`, and the end token. */
const MAX_NEW_TOKENS = 8;

/** The name of the embedded benchmark about shapes. */
export const SHAPES = 'shapes';

/** The name of the embedded benchmark about shapes and signs, the held-out questions of the tiled model. */
export const SIGNS = 'signs';

/** A question about a drawn scene, as returned by `heldOut()` of `@mmtok/tiny-vlm`. */
export interface ShapesQuestion {
  /** Path of the image. */
  readonly image: string;
  readonly question: string;
  /** One lower-case word, or several for a description. */
  readonly answer: string;
  readonly kind: string;
}

/**
 * The task `shapes`: one-word or phrase answers about drawn shapes, scored by equality. Runs offline.
 *
 * @example
 * const task = shapesTask(await heldOut());
 */
export function shapesTask(questions: readonly ShapesQuestion[]): Task<string> {
  return sceneTask(SHAPES, 'Shapes', 'heldout', questions);
}

/**
 * The task `signs`: as {@link shapesTask}, about larger scenes with small marks on objects and signs to read. Runs offline.
 *
 * @example
 * const task = signsTask(await heldOut({ size: 'tiled' }));
 */
export function signsTask(questions: readonly ShapesQuestion[]): Task<string> {
  return sceneTask(SIGNS, 'Shapes and signs', 'heldout-tiled', questions);
}

function sceneTask(
  name: string,
  title: string,
  folder: string,
  questions: readonly ShapesQuestion[],
): Task<string> {
  const table = memoryTable(
    questions.map((question, at) => ({ where: `question ${at}`, values: { ...question } })),
  );
  return {
    name,
    title,
    source: {
      url: `https://github.com/mmtok/mmtok/tree/main/packages/tiny-vlm/${folder}`,
      files: 'the held-out questions of @mmtok/tiny-vlm',
    },
    maxNewTokens: MAX_NEW_TOKENS,
    maxScore: 1,
    async *load(options) {
      const indices = await chooseRows(table, undefined, parseLoadOptions(name, options));
      for (const at of indices ?? questions.keys()) {
        const { image, question, answer, kind } = questions[at] as ShapesQuestion;
        yield { id: `${basename(image)}#${at}`, images: [imageFile(image)], question, kind, target: answer };
      }
    },
    prompt: ({ question }) => question,
    referenceAnswer: ({ target }) => target,
    score(answer, { target }: Sample<string>) {
      const parsed = answer.trim().toLowerCase();
      return { value: parsed === target ? 1 : 0, parsed };
    },
    aggregate: (answers) => summarizeMean('accuracy', answers),
  };
}
