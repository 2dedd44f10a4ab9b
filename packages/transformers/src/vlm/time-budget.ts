// Time budgets.

import { InvalidBudgetError } from '@mmtok/core';
import * as z from 'zod';

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
  if (typeof budget !== 'object' || budget === null || !('firstTokenMs' in budget)) return false;
  if (schema.safeParse(budget).success) return true;
  throw new InvalidBudgetError(
    `got ${JSON.stringify(budget)}; expected only { firstTokenMs }, in milliseconds, above 0`,
  );
}
