// Turns the caller's budget for a prompt into one core budget per pool of vision tokens.

import { type Budget, InvalidBudgetError } from '@mmtok/core';
import { resolveBudget } from '@mmtok/core/internal';
import { sum } from '../sum.js';

/**
 * Keeps as many vision tokens as let the prompt fit a context of so many tokens. Among budgets of several images it takes
 * what the others leave; several of this kind share it in proportion to their images.
 */
export interface FitContext {
  /** Tokens that text, kept vision tokens and what the cache holds may have together. */
  readonly fitContext: number;
  /** Tokens of it to leave free, e.g. for the answer. @default 0 */
  readonly reserve?: number;
  /** Keep at least this many of each image, whether they fit or not. */
  readonly min?: number;
  /** Keep at most this many of each image. */
  readonly max?: number;
}

/** How many vision tokens to keep: core's budgets, or as many as fit. */
export type PromptBudget = Budget | FitContext;

/**
 * Whose tokens share a budget. `'perImage'`: each image has the budget to itself, its tiles share it. `'perTile'`: each
 * tile has it. `'shared'`: all images of a prompt share it, so that a dull one gives its tokens away.
 */
export type Allocation = 'perImage' | 'perTile' | 'shared';

/** Vision tokens that share a budget. */
export interface BudgetedPool {
  readonly tokens: number;
  readonly budget: PromptBudget;
}

/** What a row has beside its new vision tokens, without padding. */
export interface RowTokens {
  readonly text: number;
  readonly cached: number;
}

/** Whether a budget depends on what else the prompt has. */
export function isFit(budget: PromptBudget): budget is FitContext {
  return 'fitContext' in budget;
}

/**
 * One core budget per pool of a row.
 * @throws InvalidBudgetError if a context leaves less than one token per pool.
 */
export function poolBudgets(pools: readonly BudgetedPool[], { text, cached }: RowTokens): Budget[] {
  const others = sum(
    pools.map(({ budget, tokens }) =>
      isFit(budget) ? 0 : Math.min(tokens, resolveBudget(budget, tokens).max),
    ),
  );
  const fitting = pools.filter(({ budget }) => isFit(budget));
  const rooms = fitting.map(({ budget }) => {
    const { fitContext, reserve = 0 } = budget as FitContext;
    const room = fitContext - reserve - text - cached - others;
    if (room >= fitting.length) return room;
    const taken = [
      `the text takes ${text}`,
      ...(cached === 0 ? [] : [`the cache ${cached}`]),
      ...(others === 0 ? [] : [`the other images ${others}`]),
      ...(reserve === 0 ? [] : [`${reserve} are reserved`]),
    ].join(', ');
    throw new InvalidBudgetError(
      `fitContext ${fitContext} leaves ${room} tokens for ${fitting.length} images: ${taken}`,
    );
  });
  // The prompt has to fit every context that was given, so the tightest decides.
  const dealt = shares(
    fitting.map(({ tokens, budget }) => Math.min(tokens, (budget as FitContext).max ?? tokens)),
    Math.min(...rooms),
  );
  return pools.map(({ budget }) => {
    if (!isFit(budget)) return budget;
    const { min, max } = budget;
    const tokens = dealt.shift() as number;
    return { tokens, ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  });
}

/** Splits `room` among pools in proportion to their size; every pool gets at least 1, and no more in sum than `room`. */
function shares(pools: readonly number[], room: number): number[] {
  const total = sum(pools);
  const dealt = pools.map((pool) => Math.max(1, Math.min(pool, Math.floor((room * pool) / total))));
  let over = sum(dealt) - room;
  while (over > 0) {
    const largest = dealt.indexOf(Math.max(...dealt));
    dealt[largest] = (dealt[largest] as number) - 1;
    over--;
  }
  return dealt;
}
