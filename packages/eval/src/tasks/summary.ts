// Summaries of scored answers: means, overall and per kind. What is more than a mean is in the task's own file.

import { mean, summaryBy } from '../metrics/mean.js';
import type { ScoredAnswer, Summary } from './task.js';

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
