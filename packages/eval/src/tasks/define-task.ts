// Builds a Task from a declaration: a row schema, a sample from a row, a prompt, a score. Adds loading with limit, seed and shard,
// and what several benchmarks share.

import { createRandom, parseOptions, shuffleFront } from '@mmtok/core/internal';
import * as z from 'zod';
import { type Folder, type FolderOptions, openFolder } from '../data/folder.js';
import { inFolder, inList, type LocateParquet, onHub, parquetTable } from '../data/parquet.js';
import { parseRow, type Row, type Table } from '../data/table.js';
import { UnknownFormatError } from '../errors.js';
import { strip } from '../metrics/harness.js';
import { mean, summaryBy } from '../stats/statistics.js';
import type {
  LoadOptions,
  PaperColumn,
  Sample,
  Score,
  ScoredAnswer,
  Shard,
  Summary,
  Task,
  TaskSource,
} from './task.js';

/** The declaration of a task. */
export interface TaskDefinition<S extends z.ZodObject, Target> extends TableReaders {
  readonly title: string;
  readonly maxNewTokens: number;
  /** @default 1 */
  readonly maxScore?: number;
  readonly paper?: PaperColumn;
  /** See {@link Task.options}. */
  readonly options?: Readonly<Record<string, string>>;
  /** The columns to read, with their schemas. Original files are converted to the same columns. */
  readonly row: S;
  /** The column that identifies groups of rows, if groups are scored together. */
  readonly group?: { readonly column: string; key(cell: unknown): string };
  /** The sample of a row. Use `row.where` in error messages. */
  sample(values: z.output<S>, row: Row): Sample<Target>;
  prompt(sample: Sample<Target>): string;
  /** See {@link Task.referenceAnswer}. */
  referenceAnswer?(sample: Sample<Target>): string;
  /** Scores an answer, which is already stripped of white space. */
  score(answer: string, sample: Sample<Target>): Score;
  /** @default the mean of the scores, as `accuracy` */
  aggregate?(answers: readonly ScoredAnswer[]): Summary;
}

/**
 * Defines a task. The built-in tasks are made with it too.
 *
 * @example
 * import { imageCell, memoryTable, readJsonLines } from '@mmtok/eval/data';
 *
 * const colors = defineTask({
 *   name: 'colors',
 *   title: 'Colors',
 *   source: { url: 'https://example.org/colors', files: 'colors.jsonl' },
 *   maxNewTokens: 16,
 *   row: z.object({ id: z.string(), question: z.string(), answer: z.string(), image: imageCell }),
 *   async original(folder) {
 *     const file = folder.find(/colors\.jsonl$/)[0];
 *     if (file === undefined) return null;
 *     const rows = (await readJsonLines(file)).map(({ where, values }) => ({
 *       where,
 *       values: { ...values, image: folder.image(String(values.image), where) },
 *     }));
 *     return memoryTable(rows);
 *   },
 *   sample: ({ id, question, answer, image }) => ({ id, question, target: answer, images: [image] }),
 *   prompt: ({ question }) => question,
 *   referenceAnswer: ({ target }) => target,
 *   score: (answer, { target }) => ({ value: Number(answer === target) }),
 * });
 */
export function defineTask<S extends z.ZodObject, Target>(
  definition: TaskDefinition<S, Target>,
): Task<Target> {
  const { name, title, source, maxNewTokens, maxScore = 1, paper, row: schema, group } = definition;
  const columns = Object.keys(schema.shape);
  const grouping: Grouping | undefined = group && {
    columns: [group.column],
    key: (row) => group.key(row.values[group.column]),
  };
  return {
    name,
    title,
    source,
    maxNewTokens,
    maxScore,
    ...(paper && { paper }),
    ...(definition.options && { options: definition.options }),
    async *load(options) {
      const { from, limit, seed, shard, followLinks } = parseLoadOptions(name, options);
      const table = await openTable(definition, from, { followLinks });
      const indices = await chooseRows(table, grouping, { limit, seed, shard });
      for await (const row of table.rows({ columns, ...(indices && { indices }) }))
        yield definition.sample(parseRow(schema, row), row);
    },
    prompt: (sample) => definition.prompt(sample),
    ...(definition.referenceAnswer && { referenceAnswer: definition.referenceAnswer }),
    score: (answer, sample) => definition.score(strip(answer), sample),
    aggregate: (answers) => definition.aggregate?.(answers) ?? summarizeMean('accuracy', answers),
  };
}

// Loads a task's rows: checks options, opens the table (Hub, parquet files, folder, original files), and chooses rows.

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
async function openTable(
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

// What several benchmarks share: prompts, option lists, the most common answer, summaries per kind.

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
