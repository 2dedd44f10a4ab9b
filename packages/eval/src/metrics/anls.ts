// ANLS, the average normalised Levenshtein similarity of DocVQA: typing errors cost a little, wrong answers everything.
// Sources: https://arxiv.org/abs/1907.00490 (section 3.2), `anls` of lmms-eval.

import { codePoints, strip, words } from './python-text.js';

const THRESHOLD = 0.5;

function levenshtein(whole: readonly string[], other: readonly string[]): number {
  const [a, b] = withoutCommonEnds(whole, other);
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, character] of a.entries()) {
    const current = [row + 1];
    for (let column = 0; column < b.length; column++) {
      const replaced = previous[column]! + (character === b[column] ? 0 : 1);
      current.push(Math.min(replaced, previous[column + 1]! + 1, current[column]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}

/** Both lists without what they share at the beginning and at the end, which costs nothing. */
function withoutCommonEnds(
  a: readonly string[],
  b: readonly string[],
): [readonly string[], readonly string[]] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

const normalize = (text: string): readonly string[] => codePoints(words(strip(text).toLowerCase()).join(' '));
// The harness takes the length of the upper-case text, and "ß" is two letters there.
const length = (text: string): number => codePoints(text.toUpperCase()).length;

function distance(prediction: string, answer: string): number {
  const longest = Math.max(length(prediction), length(answer));
  if (longest === 0) return 0;
  const [text, gold] = [normalize(prediction), normalize(answer)];
  // Texts differ by their difference in length at least: what cannot reach the threshold is not compared letter by letter.
  if (Math.abs(text.length - gold.length) > THRESHOLD * longest) return 1;
  return levenshtein(text, gold) / longest;
}

/** From 0 to 1: similarity to the nearest gold answer, 0 when below one half or when there is no gold answer. */
export function anls(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) return 0;
  const similarity = 1 - Math.min(...answers.map((answer) => distance(prediction, answer)));
  return similarity < THRESHOLD ? 0 : similarity;
}
