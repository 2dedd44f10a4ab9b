// Budgets in time rather than tokens.

import { InvalidBudgetError } from '@mmtok/core';
import * as z from 'zod';

/** As much as can be encoded and kept for the first token to come in time. */
export interface TimeBudget {
  /** Milliseconds from pixels to the first token. */
  readonly firstTokenMs: number;
}

const schema = z.strictObject({
  firstTokenMs: z.number().positive().finite(),
}) satisfies z.ZodType<TimeBudget>;

/**
 * Whether a budget is one in time.
 * @throws InvalidBudgetError if it is meant as one, but is not of its form.
 */
export function isTimeBudget(budget: unknown): budget is TimeBudget {
  if (typeof budget !== 'object' || budget === null || !('firstTokenMs' in budget)) return false;
  if (schema.safeParse(budget).success) return true;
  throw new InvalidBudgetError(
    `got ${JSON.stringify(budget)}; expected { firstTokenMs } alone, with a number of milliseconds above 0`,
  );
}
