// Which rows a run takes: limit, seed and shard, whole groups at a time. The choice depends on the dataset's order and the
// options only, never on how the run goes, so it can be split and resumed.

import { createRandom, shuffleFront } from '@mmtok/core/internal';
import type { Shard } from '../tasks/task.js';
import type { Row, Table } from './table.js';

/** Which rows belong together, and the columns that tell. */
export interface Grouping {
  readonly columns: readonly string[];
  key(row: Row): string;
}

/** How many rows, which, and which part of them. */
export interface RowChoice {
  readonly limit?: number | undefined;
  readonly seed?: number | undefined;
  readonly shard?: Shard | undefined;
}

async function groupsOf(table: Table, grouping: Grouping | undefined): Promise<number[][]> {
  if (grouping === undefined) return Array.from({ length: table.count }, (_, index) => [index]);
  const groups = new Map<string, number[]>();
  for await (const row of table.rows({ columns: grouping.columns })) {
    const key = grouping.key(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row.index]);
    else group.push(row.index);
  }
  return [...groups.values()];
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const order = Int32Array.from(items, (_, at) => at);
  shuffleFront(order, order.length, createRandom(seed));
  return Array.from(order, (at) => items[at] as T);
}

function firstRows(groups: readonly number[][], limit: number): number[][] {
  const taken: number[][] = [];
  let rows = 0;
  for (const group of groups) {
    if (rows >= limit) break;
    taken.push(group);
    rows += group.length;
  }
  return taken;
}

/**
 * Ascending indices of the rows to read, or `undefined` for all of them: with a limit the first groups, or with a seed
 * random ones, until the limit is reached; of those, every `count`-th group for a shard.
 */
export async function chooseRows(
  table: Table,
  grouping: Grouping | undefined,
  { limit, seed, shard }: RowChoice,
): Promise<number[] | undefined> {
  if (limit === undefined && shard === undefined) return undefined;
  let groups = await groupsOf(table, grouping);
  if (limit !== undefined) {
    if (seed !== undefined && limit < table.count) groups = shuffled(groups, seed);
    groups = firstRows(groups, limit);
  }
  if (shard !== undefined) groups = groups.filter((_, place) => place % shard.count === shard.index);
  return groups.flat().sort((a, b) => a - b);
}
