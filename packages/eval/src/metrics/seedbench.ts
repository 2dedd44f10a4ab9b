// SEED-Bench's option matching: the first character, whatever follows it ("cat" is C).
// Sources: https://github.com/AILab-CVC/SEED-Bench, `seedbench` of lmms-eval.

import { codePoints, strip } from './python-text.js';

/** The first character of the prediction, `''` when there is none. */
export function seedBenchAnswer(text: string): string {
  return codePoints(strip(text))[0] ?? '';
}

/** Whether the prediction begins with the option's letter, in either case. */
export function seedBenchMatch(prediction: string, letter: string): boolean {
  return seedBenchAnswer(prediction).toUpperCase() === letter.toUpperCase();
}
