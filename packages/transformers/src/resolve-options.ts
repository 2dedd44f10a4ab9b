// Validates the options of prune() and of individual calls at the API boundary, and merges them.

import type { RawImage } from '@huggingface/transformers';
import {
  type Backend,
  InvalidBudgetError,
  InvalidOptionsError,
  type KeywordOptions,
  type MatrixInput,
  type Maximizer,
  type ObjectiveTerm,
} from '@mmtok/core';
import { checkBudget, isTerm, parseOptions, TERM_EXPECTED } from '@mmtok/core/internal';
import * as z from 'zod';
import type { ProcessorLike } from './internal/types.js';
import { readable, shown } from './internal/values.js';
import type { CallOptions, CheckedOptions, OnReport, ResolvedOptions, SelectionOptions } from './options.js';
import { callAgentSchema, pruneAgentSchema, resolveAgent } from './question/agent.js';
import type { Select } from './select/by-function.js';
import type { PromptBudget, RankTiles } from './select/pools.js';

const DEFAULTS = {
  allocation: 'perImage',
  minTokens: 0,
  tiles: 'all',
  positions: 'auto',
  text: 'keywords',
  keywords: {},
  visionFeatures: 'auto',
  costGuard: true,
  standardize: 'off',
  minVisionTokens: 16,
  followUps: 'reuse',
} as const satisfies Partial<SelectionOptions>;

const count = z.int('expected a whole number').nonnegative('expected 0 or more');
const isFunction = (value: unknown): boolean => typeof value === 'function';
const fitContext = z.strictObject({
  fitContext: z.int('expected a whole number').positive('expected at least 1'),
  reserve: count.optional(),
  min: count.optional(),
  max: count.optional(),
});
const tokens = z
  .strictObject({
    ids: z.array(count),
    weights: z.array(z.number().nonnegative().finite()).optional(),
  })
  .refine(
    (one) => one.weights === undefined || one.weights.length === one.ids.length,
    'expected one weight per id',
  );
const size = z.strictObject({ width: z.number().positive(), height: z.number().positive() });

const FOCUS = "expected a number from 0 to 1e30, or 'auto'";

/** Budgets have their own error messages, so they are validated separately. */
type Checked<T> = Omit<T, 'budget'> & { readonly budget?: unknown };

const rankTiles = z.custom<RankTiles>(isFunction, 'expected a function (facts) => tiles').optional();

const selection = {
  budget: z.unknown().optional(),
  coverage: z.array(z.custom<ObjectiveTerm>(isTerm, TERM_EXPECTED)).min(1).optional(),
  focus: z.union([z.number(FOCUS).nonnegative(FOCUS).max(1e30, FOCUS), z.literal('auto')], FOCUS).optional(),
  select: z.custom<Select>(isFunction, 'expected a function (features, request) => indices').optional(),
  inputs: z.record(z.string(), z.custom<MatrixInput>()).optional(),
  allocation: z.enum(['perImage', 'perTile', 'shared']).optional(),
  minTokens: count.optional(),
  tiles: z
    .union(
      [
        z.literal('all'),
        z.strictObject({ max: z.int().positive(), by: rankTiles }),
        z.strictObject({ share: z.number().gt(0).lte(1), by: rankTiles }),
        z
          .strictObject({
            worth: z.number().gt(0).lte(1),
            min: z.int().positive().optional(),
            max: z.int().positive().optional(),
          })
          .refine(({ min, max }) => min === undefined || max === undefined || min <= max),
      ],
      "expected 'all', { max } with a whole number from 1, { share } with a number in (0, 1], or { worth } with a number in (0, 1] and, optionally, whole numbers min ≤ max from 1",
    )
    .optional(),
  positions: z.enum(['auto', 'preserve', 'compact']).optional(),
  text: z.enum(['keywords', 'official']).optional(),
  keywords: z
    .union([
      z.literal(false),
      z.custom<KeywordOptions>((value) => typeof value === 'object' && value !== null),
    ])
    .optional(),
  visionFeatures: z.enum(['auto', 'preProjector', 'projected', 'patches']).optional(),
  costGuard: z.boolean().optional(),
  featureOutput: z.string().min(1).optional(),
  standardize: z.enum(['off', 'on', 'auto']).optional(),
  minVisionTokens: count.optional(),
  followUps: z.enum(['reuse', 'reselect']).optional(),
  maximizer: z
    .union([
      z.enum(['lazy', 'naive', 'device']),
      z.custom<Maximizer>((value) => isFunction((value as Maximizer | undefined)?.maximize)),
    ])
    .optional(),
  maxMatrixBytes: z.number().positive().optional(),
  onReport: z.custom<OnReport>(isFunction, 'expected a function').optional(),
};

const pruneSchema = z.strictObject({
  ...selection,
  processor: z.custom<ProcessorLike>(
    (value) => isFunction((value as ProcessorLike | undefined)?.tokenizer?.decode),
    "expected the model's processor, e.g. from AutoProcessor.from_pretrained(); its tokenizer reads the question from the prompt",
  ),
  backend: z
    .custom<Backend>(
      (value) => isFunction((value as Backend | undefined)?.run),
      'expected a backend, e.g. from createTfjsBackend() of @mmtok/tfjs-backend; omit it to use the ONNX Runtime that runs the model',
    )
    .optional(),
  modelId: z.string().min(1).optional(),
  visionCacheSize: z.int().positive().optional(),
  agent: pruneAgentSchema.optional(),
}) satisfies z.ZodType<Checked<CheckedOptions>>;

const callSchema = z.strictObject({
  ...selection,
  question: z.union([z.string(), z.array(z.string())]).optional(),
  questionTokens: z.union([tokens, z.array(tokens)]).optional(),
  exclude: z.array(z.array(count)).optional(),
  paddedFrom: z.union([z.literal(false), z.array(size)]).optional(),
  agent: callAgentSchema.optional(),
  images: z
    .array(
      z.custom<RawImage>(
        (value) => ArrayBuffer.isView((value as RawImage | undefined)?.data),
        'expected a transformers.js RawImage',
      ),
    )
    .optional(),
}) satisfies z.ZodType<Checked<CallOptions>>;

/** @throws InvalidBudgetError listing the valid forms of a budget. */
function checkPromptBudget(budget: unknown): PromptBudget | readonly PromptBudget[] {
  return readable(
    () => readPromptBudget(budget),
    (problem) => new InvalidBudgetError(problem),
  );
}

function readPromptBudget(budget: unknown): PromptBudget | readonly PromptBudget[] {
  if (Array.isArray(budget)) return budget.map((one) => readPromptBudget(one) as PromptBudget);
  if (typeof budget === 'object' && budget !== null && 'firstTokenMs' in budget) {
    throw new InvalidBudgetError(
      `got ${shown(budget)}; time budgets work only with createVlm(), which can also choose the resolution`,
    );
  }
  const isFit = typeof budget === 'object' && budget !== null && 'fitContext' in budget;
  if (!isFit) return checkBudget(budget);
  const result = fitContext.safeParse(budget);
  if (result.success) return result.data as PromptBudget;
  throw new InvalidBudgetError(
    `got ${shown(budget)}; expected { fitContext } with a whole number ≥ 1, and optionally the whole numbers reserve, min, and max`,
  );
}

/**
 * Validates the options of `prune()`.
 * @throws InvalidOptionsError, InvalidBudgetError
 */
export function checkPruneOptions(options: unknown): CheckedOptions {
  const parsed = parseOptions('options of prune', pruneSchema, options);
  const checked: CheckedOptions = { ...parsed, budget: checkPromptBudget(parsed.budget) };
  expectOneChooser('options of prune', checked);
  expectOnePreparation('options of prune', checked);
  resolveOptions(checked, {});
  return checked;
}

/**
 * Merges the options of one call with those of `prune()`.
 * @throws InvalidOptionsError, InvalidBudgetError
 */
export function resolveOptions(base: CheckedOptions, call: unknown): ResolvedOptions {
  const name = 'options mmtok of generate';
  const { budget, agent, ...own } = parseOptions(name, callSchema, call ?? {});
  expectOneChooser(name, own);
  expectOnePreparation(name, own);
  if (own.question !== undefined && own.questionTokens !== undefined) {
    throw new InvalidOptionsError(name, ['question and questionTokens cannot be combined']);
  }
  const budgets = budget === undefined ? base.budget : checkPromptBudget(budget);
  const {
    budget: _,
    agent: baseAgent,
    processor: __,
    backend: ___,
    modelId,
    visionCacheSize,
    ...given
  } = base;
  const resolved: ResolvedOptions = {
    ...DEFAULTS,
    ...defined(given),
    // A selection method given for the call replaces the one in the model's options.
    ...(chooses(own) && { coverage: undefined, focus: undefined, select: undefined }),
    ...defined(own),
    budgets,
    agent: resolveAgent(baseAgent, agent),
  };
  if (Array.isArray(budgets) && resolved.allocation !== 'perImage') {
    throw new InvalidOptionsError(name, [
      `an array of budgets requires allocation 'perImage', got '${resolved.allocation}'`,
    ]);
  }
  if (resolved.select !== undefined) expectCountable(name, resolved);
  return resolved;
}

/** Whether the options specify how tokens are selected. */
function chooses({ select, coverage, focus }: Partial<SelectionOptions>): boolean {
  return select !== undefined || coverage !== undefined || focus !== undefined;
}

/** @throws InvalidOptionsError if more than one selection method is given. */
function expectOneChooser(
  name: string,
  { select, coverage, focus, maximizer }: Partial<SelectionOptions>,
): void {
  if (focus !== undefined && (select !== undefined || coverage !== undefined)) {
    throw new InvalidOptionsError(name, [
      'focus cannot be combined with coverage or select; to combine it with other terms, use coverage: [visionCoverage({ focus }), …]',
    ]);
  }
  if (select !== undefined && (coverage !== undefined || maximizer !== undefined)) {
    throw new InvalidOptionsError(name, ['select cannot be combined with coverage or maximizer']);
  }
}

/** @throws InvalidOptionsError if a word filter is combined with a text preparation that has its own. */
function expectOnePreparation(name: string, { text, keywords }: Partial<SelectionOptions>): void {
  if (text === 'official' && keywords !== undefined) {
    throw new InvalidOptionsError(name, [
      "keywords cannot be combined with text: 'official', which has its own rules",
    ]);
  }
}

/** @throws InvalidOptionsError if options require an objective but a `select` function is used. */
function expectCountable(name: string, { budgets, minTokens }: ResolvedOptions): void {
  if ([budgets].flat().some((budget) => 'coverage' in (budget as PromptBudget))) {
    throw new InvalidOptionsError(name, [
      'select: needs to know how many tokens to keep, so the budget must be { tokens }, { ratio }, or { fitContext }, not { coverage }',
    ]);
  }
  if (minTokens > 0) {
    throw new InvalidOptionsError(name, [
      `minTokens: got ${minTokens}, but select cannot guarantee minimums; omit one of them`,
    ]);
  }
}

function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
