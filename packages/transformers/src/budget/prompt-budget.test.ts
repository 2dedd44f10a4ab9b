import { InvalidBudgetError } from '@mmtok/core';
import { describe, expect, it } from 'vitest';
import { poolBudgets } from './prompt-budget.js';

describe('poolBudgets', () => {
  it('gives core budgets to every pool', () => {
    expect(poolBudgets({ ratio: 0.1, min: 2 }, { pools: [10, 20], textTokens: 5 })).toEqual([
      { ratio: 0.1, min: 2 },
      { ratio: 0.1, min: 2 },
    ]);
  });

  it('shares what a context has left in proportion to the images', () => {
    const row = { pools: [100, 300], textTokens: 20 };
    expect(poolBudgets({ fitContext: 128, reserve: 8 }, row)).toEqual([{ tokens: 25 }, { tokens: 75 }]);
    expect(poolBudgets({ fitContext: 1000 }, row)).toEqual([{ tokens: 100 }, { tokens: 300 }]);
  });

  it('gives each pool at least one token and no more than fit in all', () => {
    const budgets = poolBudgets({ fitContext: 14 }, { pools: [1, 1, 1, 100], textTokens: 10 });
    expect(budgets).toEqual([{ tokens: 1 }, { tokens: 1 }, { tokens: 1 }, { tokens: 1 }]);
  });

  it('refuses a context that the text fills', () => {
    const call = (): unknown => poolBudgets({ fitContext: 30, reserve: 10 }, { pools: [50], textTokens: 25 });
    expect(call).toThrow(InvalidBudgetError);
    expect(call).toThrow(/the text takes 25 and 10 are reserved/);
  });
});
