// Runs zod schemas at the public edges of the packages and turns what they find into typed errors.

import type * as z from 'zod';
import { InvalidOptionsError, messageOf } from '../errors.js';

/** Problems that a message lists; a list of a million wrong indices has as many. */
const LISTED = 5;

/**
 * Parses `value` with a zod schema.
 * @throws InvalidOptionsError with the first few problems, readable; also for values that cannot even be read, such as
 * revoked proxies and getters that throw.
 */
export function parseOptions<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  let issues: readonly z.core.$ZodIssue[];
  try {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    // Read here: the messages are made on first access, and look at the value again.
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
