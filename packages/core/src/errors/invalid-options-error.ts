// Thrown when options fail their schema, and the one function that runs schemas at the edges of the packages.

import type * as z from 'zod';
import { MmtokError } from './mmtok-error.js';

/** Options have the wrong form. The message lists each offending path, what was expected and what was given. */
export class InvalidOptionsError extends MmtokError {
  constructor(what: string, problems: readonly string[]) {
    super('MMTOK_INVALID_OPTIONS', `Invalid ${what}: ${problems.join('; ')}.`);
  }
}

/** Problems that a message lists; a list of a million wrong indices has as many. */
const LISTED = 5;

/**
 * Parses `value` with a zod schema.
 * @throws InvalidOptionsError with the first few problems, readable.
 */
export function parseOptions<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  const problems = issues.slice(0, LISTED).map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  const more = issues.length - problems.length;
  throw new InvalidOptionsError(what, more > 0 ? [...problems, `and ${more} more`] : problems);
}
