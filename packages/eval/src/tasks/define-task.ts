// Builds a Task from a declaration: a row schema, a sample from a row, a prompt, a score. Adds loading with limit, seed and shard.

import type * as z from 'zod';
import type { Row } from '../data/table.js';
import { parseRow } from '../data/table.js';
import { strip } from '../metrics/harness.js';
import { summarizeMean } from './common.js';
import { chooseRows, type Grouping, openTable, parseLoadOptions, type TableReaders } from './load.js';
import type { PaperColumn, Sample, Score, ScoredAnswer, Summary, Task } from './task.js';

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
