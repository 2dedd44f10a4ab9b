// Budgets: how many tokens to keep, in the ways people think of it, and their text form for command lines.

import * as z from 'zod';
import { InvalidBudgetError } from '../errors.js';

/** Bounds on a budget that depends on the image. */
interface Limits {
  /** Keep at least this many tokens. */
  readonly min?: number;
  /** Keep at most this many tokens. */
  readonly max?: number;
}

/**
 * How many vision tokens to keep: a number of tokens, a ratio in (0, 1] of the candidates (rounded down, at least 1),
 * or as many as it takes to reach a coverage in (0, 1], the share of the objective that all tokens together reach.
 */
export type Budget =
  | ({ readonly tokens: number } & Limits)
  | ({ readonly ratio: number } & Limits)
  | ({ readonly coverage: number } & Limits);

const count = z.int('expected a whole number').positive('expected at least 1');
const share = z.number().gt(0, 'expected a number in (0, 1]').lte(1, 'expected a number in (0, 1]');
const limits = { min: count.optional(), max: count.optional() };
const schema = z.union([
  z.strictObject({ tokens: count, ...limits }),
  z.strictObject({ ratio: share, ...limits }),
  z.strictObject({ coverage: share, ...limits }),
]);

/**
 * Checks a budget from outside.
 * @throws InvalidBudgetError saying what was given and what a budget may be.
 */
export function checkBudget(budget: unknown): Budget {
  const result = schema.safeParse(budget);
  // JSON has no NaN and no infinity, and throws at bigints.
  const given = JSON.stringify(budget, (_, value: unknown) =>
    typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
      ? String(value)
      : value,
  );
  if (!result.success) {
    throw new InvalidBudgetError(
      `got ${given}; expected { tokens } with a whole number ≥ 1, { ratio } or { coverage } with a number in (0, 1], ` +
        'each with optional whole numbers min and max',
    );
  }
  const { min, max } = result.data;
  if (min !== undefined && max !== undefined && min > max) {
    throw new InvalidBudgetError(`min ${min} is above max ${max} in ${given}`);
  }
  return result.data as Budget;
}

/** The number of picks a budget allows among `candidates`, and for `{ coverage }` how many it wants at least. */
export function resolveBudget(
  budget: Budget,
  candidates: number,
): { readonly atMost: number; readonly atLeast: number } {
  const { min = 1, max = Number.POSITIVE_INFINITY } = budget;
  const clamp = (tokens: number): number => Math.min(Math.max(tokens, min), max);
  if ('coverage' in budget) return { atMost: clamp(candidates), atLeast: min };
  // The tolerance undoes products such as 0.29 · 100 = 28.999…
  const wanted =
    'tokens' in budget ? budget.tokens : Math.max(1, Math.floor(budget.ratio * candidates + 1e-9));
  const tokens = clamp(wanted);
  return { atMost: tokens, atLeast: tokens };
}

/**
 * Reads a budget written as text: `'64'` tokens, `'10%'` of the tokens, `'c0.95'` of the coverage.
 * @throws InvalidBudgetError for anything else.
 */
export function parseBudget(text: string): Budget {
  const trimmed = text.trim();
  const number = String.raw`(\d+(?:\.\d+)?|\.\d+)`;
  const coverage = new RegExp(`^c${number}$`).exec(trimmed);
  if (coverage) return checkBudget({ coverage: Number(coverage[1]) });
  const percent = new RegExp(`^${number}%$`).exec(trimmed);
  if (percent) return checkBudget({ ratio: Number(percent[1]) / 100 });
  if (/^\d+$/.test(trimmed)) return checkBudget({ tokens: Number(trimmed) });
  throw new InvalidBudgetError(
    `got '${text}'; expected a number of tokens such as 64, a share such as 10%, or a coverage such as c0.95`,
  );
}
