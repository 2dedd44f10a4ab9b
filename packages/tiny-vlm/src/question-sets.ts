// The two sets of questions that come with the model. Neither was used in training; only `heldOut` measures accuracy.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TinyVlmError } from './tiny-vlm-error.js';
import type { VisualQuestion } from './visual-question.js';

/**
 * A few questions for demos: 29 about 6 scenes.
 *
 * They were picked because the model answers them correctly with all its vision tokens, so they say nothing about its
 * accuracy.
 */
export function samples(): Promise<VisualQuestion[]> {
  return readQuestions(new URL('../samples/', import.meta.url));
}

/**
 * The evaluation set: 400 questions about 80 scenes, 50 of each kind, in scene order.
 *
 * It is part of the repository but not of the npm package.
 * @throws TinyVlmError `MMTOK_QUESTIONS_MISSING` outside a clone of the repository.
 */
export function heldOut(): Promise<VisualQuestion[]> {
  return readQuestions(new URL('../heldout/', import.meta.url));
}

/** Reads `questions.jsonl` in `folder` and makes its image names absolute paths. */
export async function readQuestions(folder: URL): Promise<VisualQuestion[]> {
  const file = new URL('questions.jsonl', folder);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new TinyVlmError(
      'MMTOK_QUESTIONS_MISSING',
      `Found no questions at '${fileURLToPath(file)}'. The npm package ships samples() only; heldOut() needs a clone of ` +
        'the repository, where its files lie in packages/tiny-vlm/heldout.',
      { cause },
    );
  }
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const question = JSON.parse(line) as VisualQuestion;
      return { ...question, image: fileURLToPath(new URL(question.image, folder)) };
    });
}
