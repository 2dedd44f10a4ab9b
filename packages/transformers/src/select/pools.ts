// Groups the vision tokens of a prompt into pools: those that compete for one budget. No selection happens here.

import { type Budget, InvalidOptionsError } from '@mmtok/core';
import { type Allocation, type PromptBudget, poolBudgets } from '../budget/prompt-budget.js';
import type { PlacedImage, Prompt } from '../prompt/prompt.js';
import { sum } from '../sum.js';

/** A stretch of feature rows that is kept together or apart, counted within its pool. */
export interface Stretch {
  readonly start: number;
  readonly tokens: number;
}

/** Vision tokens that compete for one budget: feature rows `start … start + tokens`. */
export interface Pool extends Stretch {
  readonly row: number;
  readonly budget: Budget;
  /** Parts that a floor applies to. */
  readonly parts: readonly Stretch[];
}

function stretches(lengths: readonly number[]): Stretch[] {
  let start = 0;
  return lengths.map((tokens) => {
    const stretch = { start, tokens };
    start += tokens;
    return stretch;
  });
}

/**
 * The pools of all rows.
 * @throws InvalidOptionsError if there is not one budget per image where an array was given.
 * @throws InvalidBudgetError if a context leaves no room for vision tokens.
 */
export function poolsOf(
  images: readonly PlacedImage[],
  allocation: Allocation,
  budgets: PromptBudget | readonly PromptBudget[],
  { textTokens, cachedTokens }: Pick<Prompt, 'textTokens' | 'cachedTokens'>,
): Pool[] {
  if (Array.isArray(budgets) && budgets.length !== images.length) {
    throw new InvalidOptionsError('options mmtok of generate', [
      `budget: expected one budget for each of the ${images.length} images, got ${budgets.length}`,
    ]);
  }
  const pools: Pool[] = [];
  textTokens.forEach((text, row) => {
    const own = images.filter((image) => image.row === row);
    const raw = rawPools(own, allocation).map((pool, at) => ({
      ...pool,
      row,
      budget: (Array.isArray(budgets)
        ? budgets[images.indexOf(own[at] as PlacedImage)]
        : budgets) as PromptBudget,
    }));
    const resolved = poolBudgets(raw, { text, cached: cachedTokens[row] as number });
    raw.forEach((pool, at) => {
      pools.push({ ...pool, budget: resolved[at] as Budget });
    });
  });
  return pools;
}

function rawPools(images: readonly PlacedImage[], allocation: Allocation): Omit<Pool, 'row' | 'budget'>[] {
  const units = images.flatMap((image) => image.units);
  if (allocation === 'perTile') return units.map(({ start, tokens }) => ({ start, tokens, parts: [] }));
  if (allocation === 'perImage') {
    return images.map((image) => ({
      start: image.units[0]?.start ?? 0,
      tokens: image.tokens,
      parts: image.units.length > 1 ? stretches(image.units.map((unit) => unit.tokens)) : [],
    }));
  }
  const tokens = images.map((image) => image.tokens);
  return images.length === 0
    ? []
    : [{ start: units[0]?.start ?? 0, tokens: sum(tokens), parts: stretches(tokens) }];
}
