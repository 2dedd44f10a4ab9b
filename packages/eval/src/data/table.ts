// Rows of a dataset, wherever they come from: the one form in which files reach the tasks.

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
