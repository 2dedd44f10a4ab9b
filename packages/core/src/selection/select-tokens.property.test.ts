// What holds for every objective: lazy equals naive, gains shrink, prefixes are runs, bounds hold.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subsets } from '../../test/paper-oracle.js';
import {
  constraintsOf,
  outcome,
  respects,
  solve,
  type TableCase,
  tableCases,
  valueOfSet,
} from '../../test/table-case.js';
import { InvalidBudgetError } from '../errors.js';
import type { Constraints } from '../search/eligibility.js';
import { stochasticGreedy } from '../search/search.js';
import { prefix, type Selection } from './selection.js';

const tied = tableCases({ maxCandidates: 14, maxTargets: 10, levels: 3, maxDistinctRows: 6 });
const fine = tableCases({ maxCandidates: 24, maxTargets: 20, levels: 1000 });
const small = tableCases({ minCandidates: 2, maxCandidates: 9, maxTargets: 6, levels: 7 });

/** The selection, or undefined where nothing satisfies the constraints. */
async function attempt(
  problem: TableCase,
  options: Parameters<typeof solve>[1],
): Promise<Selection | undefined> {
  try {
    return await solve(problem, options);
  } catch (error) {
    if (error instanceof InvalidBudgetError) return undefined;
    throw error;
  }
}

const constrained = (cases: fc.Arbitrary<TableCase>) =>
  cases.chain((problem) =>
    fc.record({
      problem: fc.constant(problem),
      constraints: constraintsOf(problem.candidates),
      tokens: fc.integer({ min: 1, max: problem.candidates }),
    }),
  );

const budgeted = (cases: fc.Arbitrary<TableCase>) =>
  cases.chain((problem) =>
    fc.record({
      problem: fc.constant(problem),
      tokens: fc.integer({ min: 1, max: problem.candidates }),
      exclude: fc.oneof(
        { weight: 2, arbitrary: fc.constant<number[]>([]) },
        { weight: 1, arbitrary: fc.uniqueArray(fc.nat(problem.candidates - 1), { maxLength: 3 }) },
      ),
    }),
  );

describe('lazy and naive greedy pick exactly the same tokens', () => {
  it.each([
    ['with exact ties and duplicates', tied, 1500],
    ['without', fine, 500],
  ] as const)('%s', async (_, cases, numRuns) => {
    await fc.assert(
      fc.asyncProperty(budgeted(cases), async ({ problem, tokens, exclude }) => {
        const options = { budget: { tokens }, constraints: { exclude } };
        const lazy = await solve(problem, { ...options, maximizer: 'lazy' });
        const naive = await solve(problem, { ...options, maximizer: 'naive' });
        expect(outcome(lazy)).toEqual(outcome(naive));
      }),
      { numRuns },
    );
  });

  it('under exclusions, must-keeps and groups, and reject the same contradictions', async () => {
    let satisfied = 0;
    await fc.assert(
      fc.asyncProperty(constrained(tied), async ({ problem, constraints, tokens }) => {
        const options = { budget: { tokens }, constraints };
        const lazy = await attempt(problem, { ...options, maximizer: 'lazy' });
        const naive = await attempt(problem, { ...options, maximizer: 'naive' });
        expect(outcome(lazy)).toEqual(outcome(naive));
        if (lazy === undefined) return;
        satisfied++;
        expect(lazy.order.length).toBeLessThanOrEqual(tokens);
        expect(respects(lazy.order, constraints)).toBe(true);
      }),
      { numRuns: 1500 },
    );
    expect(satisfied).toBeGreaterThan(300);
  });

  it('with a coverage to reach', async () => {
    await fc.assert(
      fc.asyncProperty(
        constrained(tied),
        fc.integer({ min: 1, max: 20 }),
        async ({ problem, constraints }, twentieths) => {
          const options = { budget: { coverage: twentieths / 20 }, constraints };
          const lazy = await attempt(problem, { ...options, maximizer: 'lazy' });
          const naive = await attempt(problem, { ...options, maximizer: 'naive' });
          expect(outcome(lazy)).toEqual(outcome(naive));
          if (lazy !== undefined) expect(respects(lazy.order, constraints)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('with gains as small as floats can be', async () => {
    // Multiples of the smallest float: sums and products of these round by as much as they are worth.
    const tiny = tableCases({ maxCandidates: 8, maxTargets: 12, levels: 5 }).map((problem) => ({
      candidates: problem.candidates,
      a: {
        ...problem.a,
        rows: problem.a.rows.map((row) => row.map((each) => Math.round(each * 5) * 2 ** -149)),
      },
    }));
    await fc.assert(
      fc.asyncProperty(budgeted(tiny), async ({ problem, tokens }) => {
        const lazy = await solve(problem, { budget: { tokens }, maximizer: 'lazy' });
        const naive = await solve(problem, { budget: { tokens }, maximizer: 'naive' });
        expect(lazy.order).toEqual(naive.order);
      }),
      { numRuns: 500 },
    );
  });
});

describe('gains', () => {
  it('are never negative, never grow, and add up to the value of the set', async () => {
    await fc.assert(
      fc.asyncProperty(budgeted(fc.oneof(tied, fine)), async ({ problem, tokens, exclude }) => {
        const { gains, order, value, reason } = await solve(problem, {
          budget: { tokens },
          constraints: { exclude },
        });
        if (reason === 'belowBudget') return;
        gains.forEach((gain, pick) => {
          expect(gain).toBeGreaterThanOrEqual(0);
          if (pick > 0) expect(gain).toBeLessThanOrEqual(gains[pick - 1] as number);
        });
        expect(value).toBeCloseTo(valueOfSet(problem, order), 5);
      }),
      { numRuns: 500 },
    );
  });

  it('are those of the best token at each step, by definition', async () => {
    await fc.assert(
      fc.asyncProperty(budgeted(small), async ({ problem, tokens, exclude }) => {
        const { order, gains, reason } = await solve(problem, {
          budget: { tokens },
          constraints: { exclude },
        });
        if (reason === 'belowBudget') return;
        order.forEach((_, pick) => {
          const before = order.slice(0, pick);
          const worth = (j: number): number =>
            valueOfSet(problem, [...before, j]) - valueOfSet(problem, before);
          const left = Array.from({ length: problem.candidates }, (_each, j) => j).filter(
            (j) => !before.includes(j) && !exclude.includes(j),
          );
          expect(gains[pick]).toBeCloseTo(Math.max(...left.map(worth)), 5);
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('prefix(k)', () => {
  it('is a fresh run with budget k', async () => {
    await fc.assert(
      fc.asyncProperty(budgeted(tied), fc.nat(), async ({ problem, tokens, exclude }, pick) => {
        const constraints = { exclude };
        const whole = await solve(problem, { budget: { tokens }, constraints });
        if (whole.reason === 'belowBudget' || whole.order.length === 0) return;
        const k = 1 + (pick % whole.order.length);
        const part = prefix(whole, k);
        const fresh = await solve(problem, { budget: { tokens: k }, constraints });
        expect(part.order).toEqual(fresh.order);
        expect(part.indices).toEqual(fresh.indices);
        expect(part.gains).toEqual(fresh.gains);
        expect(part.value).toBe(fresh.value);
        expect(part.coverage).toEqual(fresh.coverage);
        // The longer run knows more, so its bound may be tighter; both hold.
        expect(part.upperBound).toBeGreaterThanOrEqual(part.value);
        expect(prefix(part, 1).order).toEqual(fresh.order.slice(0, 1));
      }),
      { numRuns: 400 },
    );
  });

  it('of a run with must-keeps too, down to their number', async () => {
    const withIncludes = tied.chain((problem) =>
      fc.record({
        problem: fc.constant(problem),
        include: fc.uniqueArray(fc.nat(problem.candidates - 1), { minLength: 1, maxLength: 3 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(withIncludes, fc.nat(), async ({ problem, include }, pick) => {
        fc.pre(include.length < problem.candidates);
        const constraints = { include };
        const whole = await solve(problem, { budget: { tokens: problem.candidates - 1 }, constraints });
        const k = include.length + (pick % (whole.order.length - include.length + 1));
        const fresh = await solve(problem, { budget: { tokens: k }, constraints });
        expect(prefix(whole, k).order).toEqual(fresh.order);
      }),
      { numRuns: 200 },
    );
  });

  it.each([0, -1, 1.5, 5, Number.NaN])('rejects %d of 4 tokens', async (k) => {
    const problem: TableCase = { candidates: 6, a: { weight: 1, rows: [[1], [2], [3], [4], [5], [6]] } };
    const selection = await solve(problem, { budget: { tokens: 4 } });
    expect(() => prefix(selection, k)).toThrow(InvalidBudgetError);
    expect(() => prefix(prefix(selection, 3), 4)).toThrow(InvalidBudgetError);
  });
});

/** The best value of any set of exactly `size` tokens that respects the constraints. */
function bestValue(problem: TableCase, constraints: Constraints, size: number): number {
  let best = 0;
  for (const set of subsets(problem.candidates, size)) {
    if (respects(set, constraints)) best = Math.max(best, valueOfSet(problem, set));
  }
  return best;
}

const slack = 1 + 1e-5;

describe('against brute force', () => {
  it('greedy keeps 1 − 1/e of the optimum, and the upper bound holds, for every prefix', async () => {
    await fc.assert(
      fc.asyncProperty(budgeted(small), async ({ problem, tokens, exclude }) => {
        const whole = await solve(problem, { budget: { tokens }, constraints: { exclude } });
        if (whole.reason === 'belowBudget') return;
        for (let k = 1; k <= whole.order.length; k++) {
          const { value, upperBound, optimality } = prefix(whole, k);
          const best = bestValue(problem, { exclude }, k);
          expect(value * slack).toBeGreaterThanOrEqual((1 - 1 / Math.E) * best);
          expect(value).toBeLessThanOrEqual(best * slack + 1e-9);
          expect(upperBound * slack).toBeGreaterThanOrEqual(best);
          expect(optimality).toBeGreaterThan(0);
          expect(optimality).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('and on twelve tokens', async () => {
    const twelve = tableCases({ minCandidates: 12, maxCandidates: 12, maxTargets: 5, levels: 9 });
    await fc.assert(
      fc.asyncProperty(twelve, fc.integer({ min: 1, max: 11 }), async (problem, tokens) => {
        const { value, upperBound } = await solve(problem, { budget: { tokens } });
        const best = bestValue(problem, {}, tokens);
        expect(value * slack).toBeGreaterThanOrEqual((1 - 1 / Math.E) * best);
        expect(upperBound * slack).toBeGreaterThanOrEqual(best);
      }),
      { numRuns: 25 },
    );
  });

  it('the upper bound holds under exclusions, must-keeps and groups, for every prefix', async () => {
    await fc.assert(
      fc.asyncProperty(constrained(small), async ({ problem, constraints, tokens }) => {
        const whole = await attempt(problem, { budget: { tokens }, constraints });
        if (whole === undefined || whole.reason === 'belowBudget') return;
        const included = constraints.include?.length ?? 0;
        for (let k = Math.max(1, included); k <= whole.order.length; k++) {
          const { upperBound, optimality } = prefix(whole, k);
          expect(upperBound * slack).toBeGreaterThanOrEqual(bestValue(problem, constraints, k));
          expect(optimality).toBeGreaterThanOrEqual(0);
          expect(optimality).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('the upper bound holds if a group excludes the candidate with the highest gain', async () => {
    // Greedy takes 0, after which the group bars 1; the best pair is 1 and 2.
    const problem: TableCase = {
      candidates: 4,
      a: {
        weight: 2,
        rows: [
          [5, 0],
          [0, 4],
          [3, 0],
          [0, 0],
        ],
      },
    };
    const constraints = { groups: [{ members: [0, 1], max: 1 }] };
    for (const maximizer of ['lazy', 'naive'] as const) {
      const { order, value, upperBound } = await solve(problem, {
        budget: { tokens: 2 },
        constraints,
        maximizer,
      });
      expect(order).toEqual([0, 2]);
      expect(value).toBe(5);
      expect(bestValue(problem, constraints, 2)).toBe(7);
      expect(upperBound).toBeGreaterThanOrEqual(7);
    }
  });

  it('the upper bound holds for a search that does not take the best token', async () => {
    const worst = {
      name: 'worst',
      maximize: ((objective, { budget, eligibility, pick }) => {
        for (let picked = 0; picked < budget; picked++) {
          const left = Array.from({ length: objective.candidates }, (_, j) => j).filter((j) =>
            eligibility.allows(j),
          );
          const gains = left.map((j) => objective.gain(j));
          if (left.length === 0) break;
          pick(left[gains.indexOf(Math.min(...gains))] as number);
        }
        return new Float64Array(objective.candidates).fill(Number.POSITIVE_INFINITY);
      }) satisfies ReturnType<typeof stochasticGreedy>['maximize'],
    };
    await fc.assert(
      fc.asyncProperty(budgeted(small), fc.nat(9), async ({ problem, tokens, exclude }, seed) => {
        for (const maximizer of [worst, stochasticGreedy({ seed, epsilon: 0.9 })]) {
          const whole = await solve(problem, { budget: { tokens }, constraints: { exclude }, maximizer });
          if (whole.reason === 'belowBudget') continue;
          for (let k = 1; k <= whole.order.length; k++) {
            const best = bestValue(problem, { exclude }, k);
            expect(prefix(whole, k).upperBound * slack).toBeGreaterThanOrEqual(best);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a coverage to reach', () => {
  it('is reached, with the fewest tokens of the greedy chain', async () => {
    await fc.assert(
      fc.asyncProperty(tied, fc.integer({ min: 1, max: 40 }), async (problem, fortieths) => {
        const share = fortieths / 40;
        const all = Array.from({ length: problem.candidates }, (_, j) => j);
        const target = share * valueOfSet(problem, all);
        const { order, reason } = await solve(problem, { budget: { coverage: share } });
        expect(reason).toBe('coverageReached');
        const reached = valueOfSet(problem, order);
        expect(reached).toBeGreaterThanOrEqual(target * (1 - 1e-5));
        if (order.length > 1) {
          expect(valueOfSet(problem, order.slice(0, -1))).toBeLessThan(target * (1 + 1e-5));
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('coverage per term', () => {
  it('is in [0, 1], never falls with k, and is 1 when everything is kept', async () => {
    await fc.assert(
      fc.asyncProperty(fine, async (problem) => {
        const everything = problem.candidates;
        const whole = await solve(problem, { budget: { coverage: 1, min: everything } });
        expect(whole.order).toHaveLength(everything);
        for (const term of Object.keys(whole.coverage)) {
          let before = 0;
          for (let k = 1; k <= everything; k++) {
            const now = prefix(whole, k).coverage[term] as number;
            expect(now).toBeGreaterThanOrEqual(before);
            expect(now).toBeLessThanOrEqual(1);
            before = now;
          }
          expect(before).toBeCloseTo(1, 5);
        }
      }),
      { numRuns: 60 },
    );
  });
});
