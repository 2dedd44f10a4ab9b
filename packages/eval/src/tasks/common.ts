// What several benchmarks share: prompts, option lists, the most common answer, summaries per kind.

import { mean, summaryBy } from '../stats/mean.js';
import type { ScoredAnswer, Summary } from './task.js';

// Prompt sentences and option lists, worded as in lmms-eval for LLaVA and Qwen.

/** Asks for a short answer. MMTok excludes this exact sentence from the question's keywords. */
export const SINGLE_WORD = '\nAnswer the question using a single word or phrase.';

/** Asks for an option's letter. MMTok excludes this exact sentence from the question's keywords. */
export const OPTION_LETTER = "\nAnswer with the option's letter from the given choices directly.";

/** The letter of the option at `index`: A, B, C, … */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

/** One line per option: `A. first`. */
export function optionLines(options: readonly string[]): string {
  return options.map((option, index) => `${letterOf(index)}. ${option}`).join('\n');
}

/** The most frequent answer, the first of several; empty for an empty list. */
export function mostCommon(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const best = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0]);
  return best[0];
}

/** A summary whose first metric is the primary one. */
export function summarize(count: number, metrics: Readonly<Record<string, number>>): Summary {
  const [metric, value] = Object.entries(metrics)[0]!;
  return { count, metric, value, metrics };
}

/** The same metrics with a prefix, e.g. `f1/adversarial`. */
export function prefixed(prefix: string, metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}/${name}`, value]));
}

/** The mean of the scores. */
export function meanScore(answers: readonly ScoredAnswer[]): number {
  return mean(answers.map((answer) => answer.score.value));
}

/** The mean score as `metric`, and as `metric/kind` for each kind. */
export function summarizeMean(metric: string, answers: readonly ScoredAnswer[]): Summary {
  const withKind = answers.filter((answer) => answer.kind !== undefined);
  const kinds = summaryBy(withKind, (answer) => answer.kind!, meanScore);
  return summarize(answers.length, { [metric]: meanScore(answers), ...prefixed(metric, kinds) });
}

/** A detail of an answer's score, as text. */
export function detail(answer: ScoredAnswer, name: string): string {
  return String(answer.score.details?.[name] ?? '');
}
