// Means and means per group, which every summary needs. Node 20 has no Map.groupBy.

import { sum } from '@mmtok/core/internal';

/** The arithmetic mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

/** The items by key, in order of first appearance. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** What `summary` makes of each group, by key. */
export function summaryBy<T>(
  items: readonly T[],
  key: (item: T) => string,
  summary: (group: readonly T[]) => number,
): Record<string, number> {
  return Object.fromEntries([...groupBy(items, key)].map(([name, group]) => [name, summary(group)]));
}
