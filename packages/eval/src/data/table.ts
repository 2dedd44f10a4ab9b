// Rows of a dataset, the form in which all files reach the tasks, and the schemas of their cells.

import * as z from 'zod';
import { CorruptFileError } from '../errors.js';

/** One row, with its origin for error messages. */
export interface Row {
  /** Its index in the table, from 0. */
  readonly index: number;
  /** Human-readable, e.g. `'questions.jsonl, line 3'`. */
  readonly where: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Which rows and columns to read. */
export interface ReadRowsOptions {
  /** Columns to read. In-memory tables always return all. @default all */
  readonly columns?: readonly string[];
  /** Row indices, ascending. @default all */
  readonly indices?: readonly number[];
}

/** Rows that can be read repeatedly and in part, in order. */
export interface Table {
  readonly count: number;
  rows(options?: ReadRowsOptions): AsyncIterable<Row>;
}

/** A table over rows in memory. */
export function memoryTable(rows: readonly Omit<Row, 'index'>[]): Table {
  return {
    count: rows.length,
    async *rows({ indices } = {}) {
      for (const index of indices ?? rows.keys()) yield { index, ...rows[index]! };
    },
  };
}

/** A string. */
export const textCell: z.ZodType<string> = z.string();

/** An integer, also as bigint (parquet's int64) or text (TSV). */
export const integerCell: z.ZodType<number> = z
  .union([z.number(), z.bigint(), z.string().regex(/^-?\d+$/, 'expected an integer')])
  .transform(Number)
  .refine(Number.isSafeInteger, 'expected an integer');

/** An identifier: a string, or a number as a string. */
export const idCell: z.ZodType<string> = z.union([z.string(), z.number(), z.bigint()]).transform(String);

/** A string that may be missing. */
export const optionalTextCell: z.ZodType<string | undefined> = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

/** A list of strings. */
export const textsCell: z.ZodType<string[]> = z.array(z.string());

/**
 * The row's values, parsed by the schema.
 * @throws CorruptFileError that lists the problems.
 */
export function parseRow<S extends z.ZodType>(schema: S, row: Pick<Row, 'values' | 'where'>): z.output<S> {
  const result = schema.safeParse(row.values);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
  );
  throw new CorruptFileError(row.where, problems.join('; '));
}
