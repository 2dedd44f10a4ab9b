// What every pruning method looks like to an evaluation: features and a budget in, indices out. No method here.

import {
  type Budget,
  checkBudget,
  InvalidBudgetError,
  type MatrixInput,
  resolveBudget,
  toMatrix,
} from '@mmtok/core';

/** What a method may look at, for one image and one question. */
export interface SelectorInput {
  /** `[n, D]`: the vision tokens as the language model would receive them. */
  readonly vision: MatrixInput;
  /** `[n, d]`: the features before the projector, where the model gives them. */
  readonly visionFeatures?: MatrixInput;
  /** `[m, D]`: input embeddings of the question's tokens. */
  readonly text?: MatrixInput;
  /** `[rows, columns]` of the vision tokens, where they form a grid in raster order. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** A pruning method: the indices of the vision tokens to keep, ascending and without repeats. */
export type Selector = (input: SelectorInput, budget: Budget) => Promise<readonly number[]>;

/**
 * The number of vision tokens, and of those to keep, for methods that take a fixed number.
 * @throws InvalidBudgetError for `{ coverage }`, which only coverage methods can meet, and for malformed budgets.
 */
export function countTokens(
  input: SelectorInput,
  budget: Budget,
): { readonly n: number; readonly k: number } {
  const checked = checkBudget(budget);
  if ('coverage' in checked) {
    throw new InvalidBudgetError(
      'got { coverage } for a method that measures no coverage; expected { tokens } or { ratio }',
    );
  }
  const [n = 0] = toMatrix('vision', input.vision).dims;
  return { n, k: Math.min(n, resolveBudget(checked, n).atMost) };
}
