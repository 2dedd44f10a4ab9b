// Budgets: how many tokens to keep, in several units, and their text form for command lines.

import * as z from 'zod';
import { InvalidBudgetError } from '../errors.js';

/** Bounds for a budget that depends on the image. */
interface Limits {
  /** Keep at least this many tokens. */
  readonly min?: number | undefined;
  /** Keep at most this many tokens. */
  readonly max?: number | undefined;
}

/**
 * How many vision tokens to keep: a number of tokens; a ratio in (0, 1] of the candidates (rounded down, at least 1); or as many as
 * needed for a coverage in (0, 1], relative to the objective value of all tokens.
 */
export type Budget =
  | ({ readonly tokens: number } & Limits)
  | ({ readonly ratio: number } & Limits)
  | ({ readonly coverage: number } & Limits);

const count = z.int('expected an integer').positive('expected at least 1');
const share = z.number().gt(0, 'expected a number in (0, 1]').lte(1, 'expected a number in (0, 1]');
const limits = { min: count.optional(), max: count.optional() };
const schema = z.union([
  z.strictObject({ tokens: count, ...limits }),
  z.strictObject({ ratio: share, ...limits }),
  z.strictObject({ coverage: share, ...limits }),
]) satisfies z.ZodType<Budget>;

/**
 * Checks a budget from outside.
 * @throws InvalidBudgetError with what was given and what a budget may be.
 */
export function checkBudget(budget: unknown): Budget {
  const result = safely(() => schema.safeParse(budget));
  if (result?.success !== true) {
    throw new InvalidBudgetError(
      `got ${show(budget)}; expected { tokens } with an integer ≥ 1, { ratio } or { coverage } with a number in (0, 1], ` +
        'each with optional integers min and max',
    );
  }
  const { min, max } = result.data;
  if (min !== undefined && max !== undefined && min > max) {
    throw new InvalidBudgetError(`min ${min} is above max ${max} in ${show(budget)}`);
  }
  return result.data;
}

/** The result, or undefined if something throws, such as a getter or a revoked proxy. */
function safely<R>(act: () => R): R | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Any value as text: JSON extended to all numbers, or else what kind of value it is. */
function show(value: unknown): string {
  const json = safely(() =>
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'bigint' || (typeof each === 'number' && !Number.isFinite(each)) ? String(each) : each,
    ),
  );
  const text = json ?? safely(() => (typeof value === 'object' ? 'an object' : String(value))) ?? 'an object';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** A budget for a given number of candidates. */
export interface ResolvedBudget {
  /** Keep at most this many. May exceed the number of candidates. */
  readonly max: number;
  /** Keep at least this many. */
  readonly min: number;
  /** Stop once this share of the objective is reached, in (0, 1]. Absent: use the whole budget. */
  readonly target?: number | undefined;
}

/** Resolves a budget for that many candidates. */
export function resolveBudget(budget: Budget, candidates: number): ResolvedBudget {
  const { min = 1, max = Number.POSITIVE_INFINITY } = budget;
  const clamp = (tokens: number): number => Math.min(Math.max(tokens, min), max);
  if ('coverage' in budget) return { max: clamp(candidates), min, target: budget.coverage };
  // The tolerance corrects products such as 0.29 · 100 = 28.999…
  const wanted =
    'tokens' in budget ? budget.tokens : Math.max(1, Math.floor(budget.ratio * candidates + 1e-9));
  const tokens = clamp(wanted);
  return { max: tokens, min: tokens };
}

/**
 * Parses a budget from text: `'64'` tokens, `'10%'` of the tokens, `'c0.95'` for 95 % coverage.
 * @throws InvalidBudgetError for anything else.
 */
export function parseBudget(text: string): Budget {
  const trimmed = typeof text === 'string' ? text.trim() : '';
  const number = String.raw`(\d+(?:\.\d+)?|\.\d+)`;
  const coverage = new RegExp(`^c${number}$`).exec(trimmed);
  if (coverage) return checkBudget({ coverage: Number(coverage[1]) });
  const percent = new RegExp(`^${number}%$`).exec(trimmed);
  if (percent) return checkBudget({ ratio: Number(percent[1]) / 100 });
  if (/^\d+$/.test(trimmed)) return checkBudget({ tokens: Number(trimmed) });
  throw new InvalidBudgetError(
    `got ${show(text)}; expected a number of tokens such as 64, a share such as 10%, or a coverage such as c0.95`,
  );
}
