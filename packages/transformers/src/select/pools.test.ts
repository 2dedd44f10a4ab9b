import { InvalidBudgetError } from '@mmtok/core';
import { describe, expect, it } from 'vitest';
import { type PromptBudget, poolBudgets } from './pools.js';

describe('poolBudgets', () => {
  const same = (budget: PromptBudget, sizes: readonly number[]) =>
    sizes.map((visionTokens) => ({ visionTokens, budget }));

  it('passes core budgets through unchanged', () => {
    const budget = { ratio: 0.1, min: 2 };
    expect(poolBudgets(same(budget, [10, 20]), { text: 5, cached: 0 })).toEqual([budget, budget]);
    expect(poolBudgets([], { text: 5, cached: 0 })).toEqual([]);
  });

  it('splits the remaining context in proportion to the images', () => {
    const row = { text: 20, cached: 0 };
    expect(poolBudgets(same({ fitContext: 128, reserve: 8 }, [100, 300]), row)).toEqual([
      { tokens: 25 },
      { tokens: 75 },
    ]);
    expect(poolBudgets(same({ fitContext: 1000 }, [100, 300]), row)).toEqual([
      { tokens: 100 },
      { tokens: 300 },
    ]);
  });

  it('counts the tokens in the cache', () => {
    expect(poolBudgets(same({ fitContext: 128 }, [100]), { text: 20, cached: 100 })).toEqual([{ tokens: 8 }]);
  });

  it('gives each pool at least one token and no more in total than fit', () => {
    const budgets = poolBudgets(same({ fitContext: 14 }, [1, 1, 1, 100]), { text: 10, cached: 0 });
    expect(budgets).toEqual([{ tokens: 1 }, { tokens: 1 }, { tokens: 1 }, { tokens: 1 }]);
  });

  it('takes what other budgets leave, and uses all of it', () => {
    const row = { text: 20, cached: 0 };
    const dealt = (first: PromptBudget, second: PromptBudget) =>
      poolBudgets(
        [
          { visionTokens: 40, budget: first },
          { visionTokens: 40, budget: second },
        ],
        row,
      );
    const fit = { fitContext: 60 };
    expect(dealt({ tokens: 16 }, fit)).toEqual([{ tokens: 16 }, { tokens: 24 }]);
    expect(dealt(fit, { ratio: 0.9 })).toEqual([{ tokens: 4 }, { ratio: 0.9 }]);
    expect(dealt({ tokens: 4 }, fit)).toEqual([{ tokens: 4 }, { tokens: 36 }]);
    expect(dealt({ coverage: 0.9, max: 10 }, fit)).toEqual([{ coverage: 0.9, max: 10 }, { tokens: 30 }]);
    expect(dealt({ fitContext: 60, max: 1 }, fit)).toEqual([{ tokens: 1, max: 1 }, { tokens: 39 }]);
    expect(dealt({ fitContext: 40 }, fit)).toEqual([{ tokens: 10 }, { tokens: 10 }]);
    expect(() => dealt({ ratio: 1 }, fit)).toThrow(/ 0 .*40/);
  });

  it('rejects a context that is full', () => {
    const call = (cached: number): unknown =>
      poolBudgets(same({ fitContext: 30, reserve: 10 }, [50]), { text: 25, cached });
    expect(() => call(0)).toThrow(InvalidBudgetError);
    expect(() => call(0)).toThrow(/25.*10/);
    expect(() => call(7)).toThrow(/-12.*25.*7.*10/);
  });
});
