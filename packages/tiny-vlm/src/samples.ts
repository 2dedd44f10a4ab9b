// A few questions to show the model with. Not for measuring it: see held-out.ts.
import { fileURLToPath } from 'node:url';
import { parseLines, readPackageText } from './package-lines.js';
import type { VisualQuestion } from './visual-question.js';

const folder = new URL('../samples/', import.meta.url);

/**
 * A few questions for demos, about a few scenes.
 *
 * They were picked because the model answers them correctly with all its vision tokens, so they say nothing about its
 * accuracy.
 */
export async function samples(): Promise<VisualQuestion[]> {
  const text = await readPackageText(new URL('questions.jsonl', folder));
  return parseLines<VisualQuestion>(text).map((question) => ({
    ...question,
    image: fileURLToPath(new URL(question.image, folder)),
  }));
}
