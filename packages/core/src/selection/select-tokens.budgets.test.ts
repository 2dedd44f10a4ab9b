// selectTokens with budgets of every kind and with constraints.

import { describe, expect, it } from 'vitest';
import { backend, solve, type TableCase } from '../../test/table-case.js';
import { base, range, refusing, vision } from '../../test/thirty-tokens.js';
import { visionCoverage } from '../coverage/terms.js';
import { InvalidBudgetError, InvalidOptionsError, MmtokError } from '../errors.js';
import type { SelectOptions } from './options.js';
import { selectTokens } from './select-tokens.js';
import { prefix } from './selection.js';

describe('budgets', () => {
  it.each([
    { tokens: 30 },
    { tokens: 31 },
    { tokens: 9999 },
    { ratio: 1 },
    { ratio: 0.5, min: 30 },
    { tokens: 1, min: 50 },
  ])('%o of 30 tokens keeps all and computes nothing', async (budget) => {
    const selection = await selectTokens({ ...base, backend: refusing, budget });
    expect(selection).toMatchObject({
      visionTokens: 30,
      indices: range(30),
      order: range(30),
      gains: [],
      value: 0,
      reason: 'belowBudget',
      optimality: 1,
    });
    expect(selection.notes.join()).toContain('30 vision tokens');
    expect(selection.timings).toMatchObject({ similarityMs: 0, maximizeMs: 0 });
    expect(selection.upperBound).toBe(0);
    expect(prefix(selection, 30).indices).toEqual(range(30));
    expect(prefix(selection, 30).upperBound).toBe(0);
    expect(() => prefix(selection, 29)).toThrow(InvalidBudgetError);
  });

  it('has no prefix without the must-keeps', async () => {
    const constraints = { include: [8, 9, 3] };
    const selection = await selectTokens({ backend, vision, budget: { tokens: 5 }, constraints });
    expect(prefix(selection, 3).indices).toEqual([3, 8, 9]);
    expect(() => prefix(selection, 2)).toThrow('3 must be kept (constraints.include)');
  });

  it.each<[SelectOptions['budget'], number]>([
    [{ tokens: 1 }, 1],
    [{ tokens: 29 }, 29],
    [{ ratio: 0.1 }, 3],
    [{ ratio: 0.99 }, 29],
    [{ ratio: 0.01 }, 1],
    [{ ratio: 0.01, min: 4 }, 4],
    [{ ratio: 0.9, max: 6 }, 6],
    [{ tokens: 9, max: 6 }, 6],
  ])('%o of 30 tokens keeps %d', async (budget, kept) => {
    const selection = await selectTokens({ ...base, budget });
    expect(selection.indices).toHaveLength(kept);
    expect(selection.reason).toBe('pruned');
  });

  it.each([0, -3, 1.5, Number.NaN, '8', null])('a budget of %o tokens is rejected', async (tokens) => {
    const act = selectTokens({ ...base, backend: refusing, budget: { tokens: tokens as number } });
    await expect(act).rejects.toThrow(InvalidBudgetError);
    await expect(act).rejects.toSatisfy((error) => MmtokError.isInstance(error, 'MMTOK_INVALID_BUDGET'));
  });

  it.each([
    undefined,
    null,
    8,
    '10%',
    {},
    { ratio: 0 },
    { ratio: 2 },
    { coverage: 0 },
    { coverage: 1.01 },
    { tokens: 8n },
  ])('the budget %o is rejected', async (budget) => {
    const act = selectTokens({ ...base, backend: refusing, budget: budget as unknown as { tokens: number } });
    await expect(act).rejects.toThrow(InvalidBudgetError);
  });

  describe('coverage', () => {
    // Each of the four targets weighs 1/4 and is covered by one of the tokens 0 to 3; token 4 covers two at half.
    const problem: TableCase = {
      candidates: 5,
      a: {
        weight: 1,
        rows: [
          [1, 0, 0, 0],
          [0, 1, 0, 0],
          [0, 0, 1, 0],
          [0, 0, 0, 1],
          [0.5, 0.5, 0, 0],
        ],
      },
    };

    it.each([
      [0.01, 1],
      [0.25, 1],
      [0.26, 2],
      [0.5, 2],
      [0.75, 3],
      [0.76, 4],
      [1, 4],
    ])('a share of %d takes %d tokens', async (coverage, kept) => {
      for (const maximizer of ['lazy', 'naive'] as const) {
        const selection = await solve(problem, { budget: { coverage }, maximizer });
        expect(selection.order).toEqual(range(kept));
        expect(selection.reason).toBe('coverageReached');
        expect(selection.coverage.a).toBeCloseTo(kept / 4, 9);
      }
    });

    it('min and max bound it', async () => {
      expect((await solve(problem, { budget: { coverage: 0.01, min: 3 } })).order).toEqual([0, 1, 2]);
      const capped = await solve(problem, { budget: { coverage: 1, max: 2 } });
      expect(capped).toMatchObject({ order: [0, 1], reason: 'pruned' });
      const all = await solve(problem, { budget: { coverage: 0.5, min: 5 } });
      expect(all).toMatchObject({ order: [0, 1, 2, 3, 4], reason: 'coverageReached' });
      const more = await solve(problem, { budget: { coverage: 0.5, min: 99 } });
      expect(more.order).toHaveLength(5);
    });

    it('that exclusions make unreachable keeps all selectable tokens, and says so', async () => {
      const selection = await solve(problem, { budget: { coverage: 0.9 }, constraints: { exclude: [0, 4] } });
      expect(selection).toMatchObject({ indices: [1, 2, 3], reason: 'allSelectable' });
      expect(selection.coverage.a).toBeCloseTo(0.75, 9);
    });

    it('that the must-keeps already reach adds no token', async () => {
      for (const maximizer of ['lazy', 'naive'] as const) {
        const selection = await solve(problem, {
          budget: { coverage: 0.5 },
          constraints: { include: [1, 3] },
          maximizer,
        });
        expect(selection).toMatchObject({ order: [1, 3], reason: 'coverageReached' });
      }
    });

    it('does not cut the minima of groups short', async () => {
      for (const maximizer of ['lazy', 'naive'] as const) {
        const selection = await solve(problem, {
          budget: { coverage: 0.25 },
          constraints: { groups: [{ members: [2, 3, 4], min: 2 }] },
          maximizer,
        });
        expect(selection.indices.filter((j) => j >= 2)).toHaveLength(2);
        expect(selection.indices).toHaveLength(3);
        expect(selection.reason).toBe('coverageReached');
      }
    });

    it('includes bonuses', async () => {
      const withBonus: TableCase = { ...problem, bonus: { weight: 1, values: [0, 0, 0, 0, 3] } };
      const selection = await solve(withBonus, { budget: { coverage: 0.75 } });
      expect(selection.order).toEqual([4]);
    });

    it('keeps the fewest tokens allowed if nothing can be covered', async () => {
      const nothing: TableCase = { candidates: 4, a: { weight: 1, rows: range(4).map(() => [0, 0]) } };
      const selection = await solve(nothing, { budget: { coverage: 0.9 } });
      expect(selection).toMatchObject({ order: [0], value: 0, optimality: 1, coverage: { a: 1 } });
    });
  });
});

describe('constraints', () => {
  it('must-keeps come first, ascending, and count toward the budget', async () => {
    const selection = await selectTokens({
      ...base,
      budget: { tokens: 5 },
      constraints: { include: [20, 3, 20] },
    });
    expect(selection.order.slice(0, 2)).toEqual([3, 20]);
    expect(selection.order).toHaveLength(5);
  });

  it('excluded tokens stay targets', async () => {
    const free = await selectTokens({ ...base, coverage: [visionCoverage()], budget: { tokens: 1 } });
    const [best] = free.order as [number];
    const without = await selectTokens({
      ...base,
      coverage: [visionCoverage()],
      budget: { tokens: 29 },
      constraints: { exclude: [best] },
    });
    expect(without.indices).not.toContain(best);
    // Token `best` is represented by others only, so coverage stays below 1.
    expect(without.coverage.vision).toBeLessThan(1 - 1e-4);
  });

  it.each<[string, SelectOptions['constraints'], string | RegExp]>([
    ['an index out of range', { exclude: [30] }, 'below 30'],
    ['a negative index', { include: [-1] }, 'include'],
    ['a fractional index', { include: [1.5] }, 'include'],
    ['a group with an index out of range', { groups: [{ members: [31] }] }, 'groups.0.members'],
    ['a negative minimum', { groups: [{ members: [1], min: -1 }] }, 'groups.0.min'],
    ['a fractional maximum', { groups: [{ members: [1], max: 1.5 }] }, 'groups.0.max'],
    ['an unknown key', { keep: [1] } as SelectOptions['constraints'], 'keep'],
    [
      'a million indices out of range, naming the first only',
      { exclude: Array.from({ length: 1e6 }, (_, j) => j) },
      /^Invalid constraints: exclude\.30: expected an index below 30, the number of vision tokens, got 30\.$/,
    ],
    ['indices that are none', { exclude: '0-3' } as unknown as SelectOptions['constraints'], 'exclude'],
  ])('rejects %s', async (_, constraints, message) => {
    const act = selectTokens({
      ...base,
      backend: refusing,
      budget: { tokens: 4 },
      constraints: constraints ?? {},
    });
    await expect(act).rejects.toThrow(InvalidOptionsError);
    await expect(act).rejects.toThrow(message);
  });

  it.each<[string, SelectOptions['constraints'], string]>([
    ['a candidate both kept and excluded', { include: [3], exclude: [3] }, 'both included and excluded'],
    [
      'more must-keeps than budget',
      { include: [1, 2, 3, 4, 5] },
      '5 candidates must be kept, but the budget is 4',
    ],
    [
      'groups that overlap',
      { groups: [{ members: [1, 2] }, { members: [2, 3] }] },
      'candidate 2 is in groups 0 and 1',
    ],
    [
      'a minimum above the maximum',
      { groups: [{ members: [1, 2, 3], min: 2, max: 1 }] },
      'at least 2 and at most 1',
    ],
    ['a minimum above what is there', { groups: [{ members: [1, 2], min: 3 }] }, 'has 2 selectable'],
    ['minima above the budget', { groups: [{ members: range(10), min: 5 }] }, 'the budget is 4'],
    [
      'more must-keeps of a group than its maximum',
      { include: [1, 2], groups: [{ members: [1, 2, 3], max: 1 }] },
      'keeps at most 1, but 2',
    ],
    [
      'minima and must-keeps that together exceed the budget',
      { include: [20, 21], groups: [{ members: [1, 2, 3], min: 3 }] },
      'need 5 tokens, but the budget is 4',
    ],
  ])('rejects %s as a budget that nothing satisfies', async (_, constraints, message) => {
    const act = selectTokens({
      ...base,
      backend: refusing,
      budget: { tokens: 4 },
      constraints: constraints ?? {},
    });
    await expect(act).rejects.toThrow(InvalidBudgetError);
    await expect(act).rejects.toThrow(message);
  });

  it('duplicates in exclude and members are harmless', async () => {
    const selection = await selectTokens({
      ...base,
      budget: { tokens: 4 },
      constraints: { exclude: [0, 0, 1], groups: [{ members: [2, 2, 3], max: 1 }] },
    });
    expect(selection.order).toHaveLength(4);
    expect(selection.indices.filter((j) => j === 2 || j === 3).length).toBeLessThanOrEqual(1);
  });

  it('groups keep their minimum and maximum', async () => {
    const rows = range(5).map((row) => range(6, row * 6));
    const selection = await selectTokens({
      ...base,
      budget: { tokens: 10 },
      constraints: { groups: rows.map((members) => ({ members, min: 1, max: 3 })) },
    });
    expect(selection.order).toHaveLength(10);
    for (const members of rows) {
      const kept = selection.indices.filter((j) => members.includes(j)).length;
      expect(kept).toBeGreaterThanOrEqual(1);
      expect(kept).toBeLessThanOrEqual(3);
    }
  });

  it('group maxima below the budget keep as many tokens as they allow', async () => {
    const selection = await selectTokens({
      ...base,
      budget: { tokens: 30 },
      constraints: { groups: [{ members: range(20), max: 2 }] },
    });
    expect(selection.order).toHaveLength(12);
    expect(selection.reason).toBe('allSelectable');
  });
});
