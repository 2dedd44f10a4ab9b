// Time budgets.

import { InvalidBudgetError } from '@mmtok/core';
import * as z from 'zod';
import { readable, shown } from '../internal/readable.js';

/** Encode and keep as many tokens as possible while the first token still arrives in time. */
export interface TimeBudget {
  /** Milliseconds from pixels to the first token. */
  readonly firstTokenMs: number;
}

const schema = z.strictObject({
  firstTokenMs: z.number().positive().finite(),
}) satisfies z.ZodType<TimeBudget>;

/**
 * Whether a budget is a time budget.
 * @throws InvalidBudgetError if it looks like a time budget but is malformed.
 */
export function isTimeBudget(budget: unknown): budget is TimeBudget {
  return readable(
    () => isReadableTimeBudget(budget),
    (problem) => new InvalidBudgetError(problem),
  );
}

function isReadableTimeBudget(budget: unknown): boolean {
  if (typeof budget !== 'object' || budget === null || !('firstTokenMs' in budget)) return false;
  if (schema.safeParse(budget).success) return true;
  throw new InvalidBudgetError(
    `got ${shown(budget)}; expected only { firstTokenMs }, in milliseconds, above 0`,
  );
}
