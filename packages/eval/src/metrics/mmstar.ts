// MMStar: option matching, and the mean over its eighteen fine categories (not over questions).
// Sources: https://mmstar-benchmark.github.io/, `mmstar` of lmms-eval.

import { mcqExtract } from './mcq-extract.js';
import { groupBy, mean, summaryBy } from './mean.js';
import type { Profile } from './profile.js';
import { strip } from './python-text.js';

/** One scored answer. */
export interface MmstarAnswer {
  readonly value: number;
  readonly category: string;
  readonly l2Category: string;
}

/** All from 0 to 1. */
export interface MmstarScores {
  readonly average: number;
  readonly category: Readonly<Record<string, number>>;
}

function matchesStart(prediction: string, letter: string): boolean {
  const text = strip(prediction.toLowerCase().replaceAll('\n', ' '));
  const small = letter.toLowerCase();
  return ['', '(', 'option ', 'the answer is '].some((lead) => text.startsWith(lead + small));
}

/**
 * Whether the prediction names the letter. Up to April 2026 (v0.3.4, v0.4) the harness looked at the beginning only, in
 * either case, so "dog" counted as D.
 */
export function mmstarMatch(prediction: string, letter: string, profile: Profile = 'latest'): boolean {
  if (profile !== 'latest') return matchesStart(prediction, letter);
  return mcqExtract(prediction, ['A', 'B', 'C', 'D']) === letter;
}

function macro(answers: readonly MmstarAnswer[]): number {
  const groups = [...groupBy(answers, (answer) => answer.l2Category).values()];
  return mean(groups.map((group) => mean(group.map((answer) => answer.value))));
}

/** The mean over fine categories, of all answers and of each coarse category. */
export function mmstarScores(answers: readonly MmstarAnswer[]): MmstarScores {
  return { average: macro(answers), category: summaryBy(answers, (answer) => answer.category, macro) };
}
