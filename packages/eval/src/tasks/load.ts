// Loads a task's rows: checks options, opens the table (Hub, parquet files, folder, original files), and chooses rows.

import { createRandom, parseOptions, shuffleFront } from '@mmtok/core/internal';
import * as z from 'zod';
import { type Folder, type FolderOptions, openFolder } from '../data/folder.js';
import { inFolder, inList, type LocateParquet, onHub, parquetTable } from '../data/parquet.js';
import type { Row, Table } from '../data/table.js';
import { UnknownFormatError } from '../errors.js';
import type { LoadOptions, Shard, TaskSource } from './task.js';

// zod gives `undefined` where LoadOptions has nothing.
type Checked = { readonly [K in keyof LoadOptions]: LoadOptions[K] | undefined };

const shard = z
  .strictObject({ index: z.int().min(0), count: z.int().min(1) })
  .refine(({ index, count }) => index < count, 'index must be below count: shards are 0 … count - 1');

const schema: z.ZodType<Checked> = z.strictObject({
  from: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  limit: z.int().min(1).optional(),
  seed: z.int().optional(),
  shard: shard.optional(),
  followLinks: z.boolean().optional(),
});

/**
 * The checked options.
 * @throws InvalidOptionsError
 */
export function parseLoadOptions(task: string, options: LoadOptions = {}): Checked {
  return parseOptions(`load options of task '${task}'`, schema, options);
}

// Which rows a run takes: limit, seed and shard, by whole groups. The choice depends only on the dataset's order and the options,
// so that runs can be split and resumed.

/** Which rows belong together, and the columns needed to tell. */
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
 * The ascending indices of the rows to read, or `undefined` for all. With a limit: the first groups, or random ones with a seed,
 * until the limit is reached; with a shard: every `count`-th of those groups.
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

/** How a task turns files into rows with the columns of its parquet files. */
export interface TableReaders {
  readonly name: string;
  readonly source: TaskSource;
  /** Only for datasets with more than one table. */
  parquet?(locate: LocateParquet): Promise<Table>;
  /** Reads the original files; `null` if the folder has none. */
  original?(folder: Folder): Promise<Table | null>;
}

async function fromParquet(task: TableReaders, locate: LocateParquet): Promise<Table> {
  if (task.parquet !== undefined) return task.parquet(locate);
  return parquetTable(await locate(task.source.config ?? 'default', task.source.split ?? 'test'));
}

const isOneParquet = (from: string): boolean => /^https?:\/\//.test(from) || from.endsWith('.parquet');

/**
 * Opens the rows of a task.
 * @throws UnknownFormatError if the files have no known format, or none are given and the Hub has none.
 */
export async function openTable(
  task: TableReaders,
  from: LoadOptions['from'],
  options: FolderOptions = {},
): Promise<Table> {
  if (from === undefined) {
    if (task.source.dataset === undefined)
      throw new UnknownFormatError(task.name, 'nothing', `give the folder with ${task.source.files}`);
    return fromParquet(task, onHub(task.source.dataset));
  }
  if (typeof from !== 'string') return fromParquet(task, inList(from));
  if (isOneParquet(from)) return fromParquet(task, inList([from]));

  const folder = await openFolder(from, options);
  const locate = inFolder(folder);
  const table = locate === null ? await task.original?.(folder) : await fromParquet(task, locate);
  if (table) return table;
  const parquet = task.source.dataset === undefined ? '' : ` or the parquet files of ${task.source.dataset}`;
  throw new UnknownFormatError(task.name, `'${from}'`, `expected ${task.source.files}${parquet} in it`);
}
