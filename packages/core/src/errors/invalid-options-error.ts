// Thrown when options fail their schema, and the one function that runs schemas at the edges of the packages.

import type * as z from 'zod';
import { MmtokError } from './mmtok-error.js';

/** Options have the wrong form. The message lists each offending path, what was expected and what was given. */
export class InvalidOptionsError extends MmtokError {
  constructor(what: string, problems: readonly string[]) {
    super('MMTOK_INVALID_OPTIONS', `Invalid ${what}: ${problems.join('; ')}.`);
  }
}

/**
 * Parses `value` with a zod schema.
 * @throws InvalidOptionsError with one readable line per problem.
 */
export function parseOptions<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw new InvalidOptionsError(what, problems);
}
