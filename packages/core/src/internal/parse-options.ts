// Parses options with zod at the public API of the packages and turns problems into typed errors.

import type * as z from 'zod';
import { InvalidOptionsError, messageOf } from '../errors.js';

/** Number of problems in a message; an array of a million wrong indices has a million. */
const LISTED = 5;

/**
 * Parses `value` with a zod schema.
 * @throws InvalidOptionsError with the first few problems, also for values that cannot be read, such as revoked proxies and
 * throwing getters.
 */
export function parseOptions<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  let issues: readonly z.core.$ZodIssue[];
  try {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    // Read here: zod makes messages on first access and inspects the value again.
    issues = result.error.issues;
  } catch (cause) {
    throw new InvalidOptionsError(what, [`it cannot be read (${messageOf(cause)})`], { cause });
  }
  const problems = issues.slice(0, LISTED).map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  const more = issues.length - problems.length;
  throw new InvalidOptionsError(what, more > 0 ? [...problems, `and ${more} more`] : problems);
}
