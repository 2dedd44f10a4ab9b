// What several benchmarks share: prompt sentences, option lists, the most common answer, summaries per kind.

import { mean, summaryBy } from '../stats/mean.js';
import type { ScoredAnswer, Summary } from './task.js';

// The sentences and the list of options that several benchmarks share, as lmms-eval words them for LLaVA and Qwen.

/** Asks for a short answer. MMTok leaves this very sentence out of the question's keywords. */
export const SINGLE_WORD = '\nAnswer the question using a single word or phrase.';

/** Asks for an option's letter. MMTok leaves this very sentence out of the question's keywords. */
export const OPTION_LETTER = "\nAnswer with the option's letter from the given choices directly.";

/** The letter of the option at `index`: A, B, C, … */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

/** One line per option: `A. first`. */
export function optionLines(options: readonly string[]): string {
  return options.map((option, index) => `${letterOf(index)}. ${option}`).join('\n');
}

// The answer that most annotators gave.

/** The first of those that occur most often; empty where there are none. */
export function mostCommon(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const best = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0]);
  return best[0];
}

// Summaries of scored answers: means, overall and per kind. What is more than a mean is in the task's own file.

/** A summary whose headline is the first metric. */
export function summarize(count: number, metrics: Readonly<Record<string, number>>): Summary {
  const [metric, value] = Object.entries(metrics)[0]!;
  return { count, metric, value, metrics };
}

/** The same metrics under names of their own, e.g. `f1/adversarial`. */
export function prefixed(prefix: string, metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}/${name}`, value]));
}

/** The mean of the scores. */
export function meanScore(answers: readonly ScoredAnswer[]): number {
  return mean(answers.map((answer) => answer.score.value));
}

/** The mean score under `metric`, and under `metric/kind` for each kind. */
export function summarizeMean(metric: string, answers: readonly ScoredAnswer[]): Summary {
  const withKind = answers.filter((answer) => answer.kind !== undefined);
  const kinds = summaryBy(withKind, (answer) => answer.kind!, meanScore);
  return summarize(answers.length, { [metric]: meanScore(answers), ...prefixed(metric, kinds) });
}

/** A fact of an answer's score, as text. */
export function fact(answer: ScoredAnswer, name: string): string {
  return String(answer.score.facts?.[name] ?? '');
}
