// Makes a Task from its declaration: rows with a schema, a sample from a row, a prompt, a score. Adds loading with limit,
// seed and shard, and the treatment all answers get.

import type * as z from 'zod';
import type { Row } from '../data/table.js';
import { parseRow } from '../data/table.js';
import { strip } from '../metrics/harness.js';
import { summarizeMean } from './common.js';
import { chooseRows, type Grouping, openTable, parseLoadOptions, type TableReaders } from './load.js';
import type { PaperColumn, Sample, Score, ScoredAnswer, Summary, Task } from './task.js';

/** A task as it is declared. */
export interface TaskDefinition<S extends z.ZodObject, Target> extends TableReaders {
  readonly title: string;
  readonly maxNewTokens: number;
  /** @default 1 */
  readonly perfect?: number;
  readonly paper?: PaperColumn;
  /** See {@link Task.options}. */
  readonly options?: Readonly<Record<string, string>>;
  /** The columns that are read, and what is in them. Original files are brought into the same columns. */
  readonly row: S;
  /** The column by which rows belong together, when they are scored together. */
  readonly group?: { readonly column: string; key(cell: unknown): string };
  /** The sample of a row. `row.where` says which row it is, for errors. */
  sample(values: z.output<S>, row: Row): Sample<Target>;
  prompt(sample: Sample<Target>): string;
  /** See {@link Task.truth}. */
  truth?(sample: Sample<Target>): string;
  /** Scores an answer, which is stripped of white space already. */
  score(answer: string, sample: Sample<Target>): Score;
  /** Left out: the mean of the scores, as `accuracy`. */
  aggregate?(answers: readonly ScoredAnswer[]): Summary;
}

/**
 * Makes a task of your own, or one of the built-in ones.
 *
 * @example
 * import { imageCell, memoryTable, readJsonLines } from '@mmtok/eval/data';
 *
 * const colors = defineTask({
 *   name: 'colors',
 *   title: 'Colors',
 *   source: { url: 'https://example.org/colors', files: 'colors.jsonl' },
 *   maxNewTokens: 16,
 *   row: z.object({ id: z.string(), question: z.string(), answer: z.string(), picture: imageCell }),
 *   async original(folder) {
 *     const file = folder.find(/colors\.jsonl$/)[0];
 *     if (file === undefined) return null;
 *     const rows = (await readJsonLines(file)).map(({ where, values }) => ({
 *       where,
 *       values: { ...values, picture: folder.image(String(values.picture), where) },
 *     }));
 *     return memoryTable(rows);
 *   },
 *   sample: ({ id, question, answer, picture }) => ({ id, question, target: answer, images: [picture] }),
 *   prompt: ({ question }) => question,
 *   truth: ({ target }) => target,
 *   score: (answer, { target }) => ({ value: Number(answer === target) }),
 * });
 */
export function defineTask<S extends z.ZodObject, Target>(
  definition: TaskDefinition<S, Target>,
): Task<Target> {
  const { name, title, source, maxNewTokens, perfect = 1, paper, row: schema, group } = definition;
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
    perfect,
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
    ...(definition.truth && { truth: definition.truth }),
    score: (answer, sample) => definition.score(strip(answer), sample),
    aggregate: (answers) => definition.aggregate?.(answers) ?? summarizeMean('accuracy', answers),
  };
}
