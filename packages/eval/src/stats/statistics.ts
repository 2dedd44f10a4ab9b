// Means, medians, grouping, and confidence intervals for comparisons on the same questions.

import { InvalidOptionsError } from '@mmtok/core';
import { createRandom, parseOptions, sum } from '@mmtok/core/internal';
import * as z from 'zod';

/** The arithmetic mean; 0 for an empty list. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

/** Items grouped by key, in order of first appearance. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** `summary` of each group, by key. */
export function summaryBy<T>(
  items: readonly T[],
  key: (item: T) => string,
  summary: (group: readonly T[]) => number,
): Record<string, number> {
  return Object.fromEntries([...groupBy(items, key)].map(([name, group]) => [name, summary(group)]));
}

/** The median; the mean of the two middle values for an even count, 0 for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? 0 : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The mean over datasets of `100 * score / full score`. Not clipped: pruning may help.
 * @param scores by dataset; must include every dataset of `full`.
 * @param full scores with all vision tokens.
 */
export function meanRetention(
  scores: Readonly<Record<string, number>>,
  full: Readonly<Record<string, number>>,
): number {
  return mean(Object.entries(full).map(([dataset, all]) => (100 * (scores[dataset] ?? Number.NaN)) / all));
}

// Confidence intervals for comparisons on the same questions, by resampling questions with both of their scores.

/** Options of the bootstrap. */
export interface BootstrapOptions {
  /** Number of resamples. @default 2000 */
  readonly resamples?: number;
  /** Confidence level, in (0, 1). @default 0.95 */
  readonly confidence?: number;
  /** @default 0 */
  readonly seed?: number;
}

/** An estimate and its percentile interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const scores = z.array(z.number().finite()).min(1, 'expected at least one score');
const schema = z.strictObject({
  resamples: z.int().positive().default(2000),
  confidence: z.number().gt(0).lt(1).default(0.95),
  seed: z.int().default(0),
});

/**
 * The mean of `treatment` minus the mean of `baseline`, e.g. of 1 for right and 0 for wrong answers. Element i of both lists
 * is the same question.
 * @throws InvalidOptionsError for lists of different lengths, empty lists, or numbers that are not finite.
 */
export function meanDifference(
  baseline: readonly number[],
  treatment: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  return pairedBootstrap(baseline, treatment, options, (base, treated) => treated - base);
}

/**
 * Retention: mean of `treatment` / mean of `baseline`, e.g. accuracy with pruned tokens over accuracy with all tokens.
 * Resamples in which the baseline scores 0 have no retention and are skipped.
 * @throws InvalidOptionsError like {@link meanDifference}, and if the mean of the baseline is not positive.
 */
export function retention(
  baseline: readonly number[],
  treatment: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  const ratio = pairedBootstrap(baseline, treatment, options, (base, treated) =>
    base > 0 ? treated / base : Number.NaN,
  );
  if (Number.isNaN(ratio.value)) {
    throw new InvalidOptionsError('scores', ['retention needs a baseline with a mean above 0']);
  }
  return ratio;
}

function pairedBootstrap(
  baseline: readonly number[],
  treatment: readonly number[],
  options: BootstrapOptions,
  statistic: (baselineMean: number, treatmentMean: number) => number,
): Interval {
  const { resamples, confidence, seed } = parseOptions('options of the bootstrap', schema, options);
  parseOptions('baseline scores', scores, baseline);
  parseOptions('treatment scores', scores, treatment);
  const n = baseline.length;
  if (treatment.length !== n) {
    throw new InvalidOptionsError('scores', [
      `expected one pair per question, got ${n} baseline and ${treatment.length} treatment scores`,
    ]);
  }

  const random = createRandom(seed);
  const statisticOf = (pick: (i: number) => number): number => {
    let base = 0;
    let treated = 0;
    for (let i = 0; i < n; i++) {
      const question = pick(i);
      base += baseline[question]!;
      treated += treatment[question]!;
    }
    return statistic(base / n, treated / n);
  };
  const resampled = Float64Array.from({ length: resamples }, () =>
    statisticOf(() => Math.floor(random() * n)),
  )
    .filter((value) => !Number.isNaN(value))
    .sort();
  const quantile = (share: number): number =>
    resampled[Math.round(share * (resampled.length - 1))] ?? Number.NaN;
  const tail = (1 - confidence) / 2;
  return { value: statisticOf((i) => i), low: quantile(tail), high: quantile(1 - tail) };
}
