// Checks a row against a schema, and says in which file and line it failed.

import type * as z from 'zod';
import { CorruptFileError } from './errors.js';
import type { Row } from './table.js';

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
