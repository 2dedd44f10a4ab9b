// Turns the caller's budget for a prompt into one core budget per pool of vision tokens.

import { type Budget, InvalidBudgetError } from '@mmtok/core';

/** Keeps as many vision tokens as let the prompt fit a context of so many tokens. */
export interface FitContext {
  /** Tokens that text and kept vision tokens of a prompt may have together. */
  readonly fitContext: number;
  /** Tokens of it to leave free, e.g. for the answer. @default 0 */
  readonly reserve?: number;
  readonly min?: number;
  readonly max?: number;
}

/** How many vision tokens to keep: core's budgets, or as many as fit. */
export type PromptBudget = Budget | FitContext;

/**
 * Whose tokens share a budget. `'perImage'`: each image has the budget to itself, its tiles share it. `'perTile'`: each
 * tile has it. `'shared'`: all images of a prompt share it, so that a dull one gives its tokens away.
 */
export type Allocation = 'perImage' | 'perTile' | 'shared';

/** The pools of one row: how many vision tokens each has. */
export interface RowPools {
  readonly pools: readonly number[];
  /** Tokens of the row that are no vision tokens, without padding. */
  readonly textTokens: number;
}

/** One core budget per pool of a row. */
export function poolBudgets(budget: PromptBudget, { pools, textTokens }: RowPools): Budget[] {
  if (pools.length === 0) return [];
  if (!('fitContext' in budget)) return pools.map(() => budget);
  const { fitContext, reserve = 0, min, max } = budget;
  const room = fitContext - reserve - textTokens;
  if (room < pools.length) {
    throw new InvalidBudgetError(
      `fitContext ${fitContext} leaves ${room} tokens for ${pools.length} images: the text takes ${textTokens}` +
        (reserve === 0 ? '' : ` and ${reserve} are reserved`),
    );
  }
  const limits = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  return shares(pools, room).map((tokens) => ({ tokens, ...limits }));
}

/** Splits `room` among pools in proportion to their size; every pool gets at least 1, and no more in sum than `room`. */
function shares(pools: readonly number[], room: number): number[] {
  const total = pools.reduce((sum, pool) => sum + pool, 0);
  const dealt = pools.map((pool) => Math.max(1, Math.min(pool, Math.floor((room * pool) / total))));
  let over = dealt.reduce((sum, one) => sum + one, 0) - room;
  while (over > 0) {
    const largest = dealt.indexOf(Math.max(...dealt));
    dealt[largest] = (dealt[largest] as number) - 1;
    over--;
  }
  return dealt;
}
