// The options of a selection: types, and the schemas that check them. Budgets say how many tokens to keep, in several units, and have
// a text form for command lines.

import * as z from 'zod';
import type { Backend } from '../backend/backend.js';
import type { MatrixInput } from '../backend/tensor.js';
import { type ObjectiveTerm, termSchema } from '../coverage/coverage-term.js';
import { InvalidBudgetError, InvalidOptionsError, messageOf, parseOptions } from '../errors.js';
import type { Constraints } from '../search/eligibility.js';
import { lazyGreedy, type Maximizer, naiveGreedy } from '../search/search.js';

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
const budgetSchema = z.union([
  z.strictObject({ tokens: count, ...limits }),
  z.strictObject({ ratio: share, ...limits }),
  z.strictObject({ coverage: share, ...limits }),
]) satisfies z.ZodType<Budget>;

/**
 * Checks a budget from outside.
 * @throws InvalidBudgetError with what was given and what a budget may be.
 */
export function checkBudget(budget: unknown): Budget {
  const result = safely(() => budgetSchema.safeParse(budget));
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
 * @example
 * parseBudget('10%'); // { ratio: 0.1 }
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

/** Options of `prepareImage`. */
export interface PrepareOptions {
  /** Where the matrices are computed. */
  readonly backend: Backend;
  /** `[n, D]`: the vision tokens as the language model would receive them. */
  readonly vision: MatrixInput;
  /** `[n, d]`: the vision features before the projector. @default `vision` */
  readonly visionFeatures?: MatrixInput | undefined;
  /** The objective. @default `[textCoverage(), visionCoverage()]` */
  readonly coverage?: readonly ObjectiveTerm[] | undefined;
  /** Additional tensors that terms read, by name, e.g. `{ saliency: [n, 1] }`. */
  readonly inputs?: Readonly<Record<string, MatrixInput>> | undefined;
  /**
   * Reject coverage matrices above this many bytes; vision coverage of n tokens needs 4 n². While a matrix above 32 MiB is computed,
   * memory peaks at up to 2.5 times its size, plus up to three copies of the tensors that the term reads; for smaller ones, at up to
   * 10 times. These factors hold on ONNX Runtime's CPU provider. Your own term without `drawsTargets` may need more if its `build`
   * uses several results of that size at the same time: each one counts. @default 1 GiB
   */
  readonly maxMatrixBytes?: number | undefined;
}

/** Options of `PreparedImage.select`. */
export interface ImageSelectOptions {
  /** `[m, D]`: input embeddings of the question's tokens. Without it, terms that read text are skipped. */
  readonly text?: MatrixInput | undefined;
  /** How many tokens to keep. */
  readonly budget: Budget;
  /** Tokens to exclude, tokens to keep, and groups with their own bounds. */
  readonly constraints?: Constraints | undefined;
  /**
   * The search. `'naive'` finds the same tokens as `'lazy'`, more slowly. `'device'` runs the whole search on the backend, which pays
   * off if moving the matrices to the host would cost more; it supports neither must-keeps nor groups.
   * @default 'lazy'
   */
  readonly maximizer?: 'lazy' | 'naive' | 'device' | Maximizer | undefined;
}

/** Options of `selectTokens`. */
export interface SelectOptions extends PrepareOptions, ImageSelectOptions {}

const matrix = z.custom<MatrixInput>(() => true);

const prepareShape = {
  vision: matrix,
  visionFeatures: matrix.optional(),
  inputs: z.record(z.string(), matrix).optional(),
  backend: z.custom<Backend>(
    (value) => typeof (value as Backend | undefined)?.run === 'function',
    'expected a backend, e.g. from createOrtBackend() of @mmtok/ort-backend or createReferenceBackend()',
  ),
  coverage: z
    .array(termSchema)
    .min(1, 'expected at least one term')
    .refine(
      (terms) => new Set(terms.map((term) => term.name)).size === terms.length,
      'expected terms with different names',
    )
    .optional(),
  maxMatrixBytes: z.number().positive().optional(),
};

const maximizerSchema = z.union(
  [
    z.enum(['lazy', 'naive', 'device']),
    z.custom<Maximizer>((value) => typeof (value as Maximizer | undefined)?.maximize === 'function'),
  ],
  "expected 'lazy', 'naive', 'device' or a Maximizer such as stochasticGreedy()",
);

// Budgets and constraints are checked elsewhere, with their own messages.
const selectShape = {
  text: matrix.optional(),
  budget: z.custom<Budget>(() => true),
  constraints: z.custom<Constraints>(() => true).optional(),
  maximizer: maximizerSchema.optional(),
};

const prepareSchema = z.strictObject(prepareShape) satisfies z.ZodType<PrepareOptions, PrepareOptions>;
const imageSelectSchema = z.strictObject(selectShape) satisfies z.ZodType<
  ImageSelectOptions,
  ImageSelectOptions
>;
const selectSchema = z.strictObject({ ...prepareShape, ...selectShape }) satisfies z.ZodType<
  SelectOptions,
  SelectOptions
>;

/** A list of indices, copied so that it is read only once. */
const indexList = z
  .custom<readonly number[]>((value) => Array.isArray(value), 'expected an array of indices')
  .transform((list): readonly number[] => Array.from(list));
const bound = z.int().nonnegative().optional();

// The number of candidates is checked separately: building a schema for it takes half a millisecond.
const constraintsSchema = z.strictObject({
  exclude: indexList.optional(),
  include: indexList.optional(),
  groups: z.array(z.strictObject({ members: indexList, min: bound, max: bound })).optional(),
}) satisfies z.ZodType<Constraints, Constraints>;

/** Checks the options of an image, except the contents of tensors. */
export function parsePrepareOptions(options: PrepareOptions): PrepareOptions {
  return parseOptions('options', prepareSchema, options);
}

/** Checks the options of a selection, except its budget and constraints. */
export function parseImageSelectOptions(options: ImageSelectOptions): ImageSelectOptions {
  return parseOptions('options', imageSelectSchema, options);
}

/** Checks the options of `selectTokens` as the two functions above do. */
export function parseSelectOptions(options: SelectOptions): SelectOptions {
  return parseOptions('options', selectSchema, options);
}

/** Checks the constraints of an image with that many candidates. */
export function parseConstraints(constraints: Constraints | undefined, candidates: number): Constraints {
  const parsed = parseOptions('constraints', constraintsSchema, constraints ?? {});
  assertIndices('exclude', parsed.exclude, candidates);
  assertIndices('include', parsed.include, candidates);
  parsed.groups?.forEach(({ members }, g) => {
    assertIndices(`groups.${g}.members`, members, candidates);
  });
  return parsed;
}

/** @throws InvalidOptionsError that names the first wrong index: a million of them would take a million messages. */
function assertIndices(path: string, list: readonly number[] = [], candidates: number): void {
  const at = list.findIndex((j) => !(Number.isInteger(j) && j >= 0 && j < candidates));
  if (at < 0) return;
  throw new InvalidOptionsError('constraints', [
    `${path}.${at}: expected an index below ${candidates}, the number of vision tokens, got ${messageOf(list[at])}`,
  ]);
}

/** The requested search. */
export function maximizerOf(maximizer: ImageSelectOptions['maximizer'] = 'lazy'): Maximizer | 'device' {
  if (maximizer === 'lazy') return lazyGreedy();
  return maximizer === 'naive' ? naiveGreedy() : maximizer;
}
