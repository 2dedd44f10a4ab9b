// Means, medians and grouping. Node 20 has no Map.groupBy.

import { sum } from '@mmtok/core/internal';

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
