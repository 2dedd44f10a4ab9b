// Rows of a dataset: the one form in which files reach the tasks, and the schemas that check their cells.

import * as z from 'zod';
import { CorruptFileError } from '../errors.js';

/** One row, with the place it came from for messages. */
export interface Row {
  /** Its place in the table, from 0. */
  readonly index: number;
  /** For people, e.g. `'questions.jsonl, line 3'`. */
  readonly where: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Which rows and columns to read. */
export interface ReadRowsOptions {
  /** Left out: all. Tables in memory give all of them anyway. */
  readonly columns?: readonly string[];
  /** Ascending. Left out: all. */
  readonly indices?: readonly number[];
}

/** Rows that can be read more than once, in order, some or all of them. */
export interface Table {
  readonly count: number;
  rows(options?: ReadRowsOptions): AsyncIterable<Row>;
}

/** A table over rows that are in memory already. */
export function memoryTable(rows: readonly Omit<Row, 'index'>[]): Table {
  return {
    count: rows.length,
    async *rows({ indices } = {}) {
      for (const index of indices ?? rows.keys()) yield { index, ...rows[index]! };
    },
  };
}

/** A text. */
export const textCell: z.ZodType<string> = z.string();

/** A whole number, also as bigint (parquet's int64) or text (TSV). */
export const integerCell: z.ZodType<number> = z
  .union([z.number(), z.bigint(), z.string().regex(/^-?\d+$/, 'expected a whole number')])
  .transform(Number)
  .refine(Number.isSafeInteger, 'expected a whole number');

/** An identifier: a text, or a number as text. */
export const idCell: z.ZodType<string> = z.union([z.string(), z.number(), z.bigint()]).transform(String);

/** A text that may be missing. */
export const optionalTextCell: z.ZodType<string | undefined> = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

/** A list of texts. */
export const textsCell: z.ZodType<string[]> = z.array(z.string());

/**
 * The row's values as the schema makes them.
 * @throws CorruptFileError with one readable line per problem.
 */
export function parseRow<S extends z.ZodType>(schema: S, row: Pick<Row, 'values' | 'where'>): z.output<S> {
  const result = schema.safeParse(row.values);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
  );
  throw new CorruptFileError(row.where, problems.join('; '));
}
