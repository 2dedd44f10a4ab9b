// The parts of the search: heap, eligibility, objective, largest gains, and searches on a custom objective.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subsets } from '../../test/paper-oracle.js';
import { constraintsOf, respects } from '../../test/table-case.js';
import { InvalidBudgetError } from '../errors.js';
import { Eligibility } from './eligibility.js';
import { type CoverageBlock, CoverageMatrix, type Objective, WeightedObjective } from './objective.js';
import { CandidateHeap, largestGains, lazyGreedy, type Maximizer, naiveGreedy } from './search.js';

const range = (count: number): number[] => Array.from({ length: count }, (_, j) => j);

describe('CandidateHeap', () => {
  it('returns candidates by bound, equal ones by index', () => {
    const bound = fc.constantFrom(0, 0.25, 0.25, 1, Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(fc.array(bound, { maxLength: 40 }), fc.infiniteStream(fc.boolean()), (given, keep) => {
        const bounds = Float64Array.from(given);
        const candidates = range(given.length).filter(() => keep.next().value as boolean);
        const heap = new CandidateHeap(candidates, bounds);
        const out: number[] = [];
        for (; heap.top >= 0; heap.removeTop()) out.push(heap.top);
        const wanted = candidates.toSorted((a, b) => {
          const [x, y] = [given[a] as number, given[b] as number];
          return x === y ? a - b : y - x;
        });
        expect(out).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it('restores the order when the top’s bound sinks', () => {
    const heap = new CandidateHeap(range(4), Float64Array.of(3, 5, 4, 5));
    expect(heap.top).toBe(1);
    heap.lowerTop(4);
    expect(heap.top).toBe(3);
    heap.removeTop();
    expect(heap.top).toBe(1);
    heap.removeTop();
    expect(heap.top).toBe(2);
  });

  it('is empty with no candidates', () => {
    expect(new CandidateHeap([], new Float64Array(3)).top).toBe(-1);
  });
});

describe('Eligibility', () => {
  const problems = fc.integer({ min: 1, max: 7 }).chain((candidates) =>
    fc.record({
      candidates: fc.constant(candidates),
      constraints: constraintsOf(candidates),
      budget: fc.integer({ min: 1, max: candidates }),
      choices: fc.array(fc.nat(), { minLength: 7, maxLength: 7 }),
    }),
  );
  const sets = (candidates: number, upTo: number): (readonly number[])[] =>
    range(upTo + 1).flatMap((size) => [...subsets(candidates, size)]);

  it('accepts constraints exactly if some set within the budget satisfies them', () => {
    fc.assert(
      fc.property(problems, ({ candidates, constraints, budget }) => {
        const isPossible = sets(candidates, budget).some((set) => respects(set, constraints));
        const make = (): Eligibility => new Eligibility(candidates, constraints, budget);
        if (!isPossible) expect(make).toThrow(InvalidBudgetError);
        else expect(make().include).toEqual(constraints.include?.toSorted((a, b) => a - b));
      }),
      { numRuns: 1000 },
    );
  });

  it('allows a candidate exactly if the picks so far, with it, can still be completed', () => {
    let checked = 0;
    fc.assert(
      fc.property(problems, ({ candidates, constraints, budget, choices }) => {
        const possible = sets(candidates, budget).filter((set) => respects(set, constraints));
        if (possible.length === 0) return;
        const eligibility = new Eligibility(candidates, constraints, budget);
        const picked: number[] = [];
        const pick = (j: number): void => {
          eligibility.pick(j);
          picked.push(j);
        };
        for (const j of eligibility.include) pick(j);
        const outcast = new Set<number>();
        for (const choice of choices) {
          const allowed = range(candidates).filter((j) => eligibility.allows(j));
          const completable = range(candidates).filter(
            (j) =>
              !picked.includes(j) &&
              picked.length < budget &&
              possible.some((set) => [...picked, j].every((each) => set.includes(each))),
          );
          expect(allowed).toEqual(completable);
          checked++;
          // Once ineligible, a candidate stays so: the searches drop it.
          for (const j of range(candidates)) if (!allowed.includes(j)) outcast.add(j);
          expect(allowed.some((j) => outcast.has(j))).toBe(false);
          const next = allowed[choice % Math.max(1, allowed.length)];
          if (next === undefined) break;
          pick(next);
        }
      }),
      { numRuns: 1000 },
    );
    expect(checked).toBeGreaterThan(500);
  });

  it('counts how many candidates can be kept at all', () => {
    fc.assert(
      fc.property(problems, ({ candidates, constraints }) => {
        const possible = sets(candidates, candidates).filter((set) => respects(set, constraints));
        if (possible.length === 0) return;
        const { selectable } = new Eligibility(candidates, constraints, candidates);
        expect(selectable).toBe(Math.max(...possible.map((set) => set.length)));
      }),
      { numRuns: 500 },
    );
  });

  it('allowOnlyMissing() allows only what the minima need, and says whether that is anything', () => {
    const eligibility = new Eligibility(6, { groups: [{ members: [0, 1, 2], min: 2 }] }, 5);
    expect(eligibility.isGrouped).toBe(true);
    eligibility.pick(0);
    eligibility.pick(4);
    expect(eligibility.allowOnlyMissing()).toBe(true);
    expect(range(6).filter((j) => eligibility.allows(j))).toEqual([1, 2]);
    eligibility.pick(2);
    expect(eligibility.allowOnlyMissing()).toBe(false);
    expect(range(6).filter((j) => eligibility.allows(j))).toEqual([]);
    expect(range(6).filter((j) => eligibility.isLeft(j))).toEqual([1, 3, 5]);
  });
});

/** A block from nested arrays; products and first gains are rounded to float32, as a backend would. */
function blockOf(
  weight: number,
  rows: readonly (readonly number[])[],
  weights: readonly number[],
): CoverageBlock {
  const matrix = new CoverageMatrix(rows.length, weights.length);
  matrix.affinity.set(rows.flatMap((row) => row.map((each, i) => each * (weights[i] as number))));
  const firstGains = Float32Array.from(rows, (_, j) =>
    matrix.affinity
      .subarray(j * weights.length, (j + 1) * weights.length)
      .reduce((sum, each) => sum + each, 0),
  );
  return { weight, matrix, firstGains, precision: 0 };
}

const level = fc.integer({ min: 0, max: 4 }).map((step) => step / 4);
const objectives = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 20 }))
  .chain(([n, m]) =>
    fc.record({
      n: fc.constant(n),
      rows: fc.array(
        fc.array(fc.oneof(level, fc.float({ min: 0, max: 1, noNaN: true })), { minLength: m, maxLength: m }),
        {
          minLength: n,
          maxLength: n,
        },
      ),
      weights: fc.array(level, { minLength: m, maxLength: m }),
      bonus: fc.array(level, { minLength: n, maxLength: n }),
      order: fc.shuffledSubarray(range(n), { minLength: n }),
    }),
  );

describe('WeightedObjective', () => {
  it('weights targets, terms and bonuses', () => {
    const objective = new WeightedObjective(
      2,
      [
        blockOf(
          2,
          [
            [1, 0],
            [0.5, 0.5],
          ],
          [0.5, 0.25],
        ),
        blockOf(1, [[0], [4]], [1]),
      ],
      [{ name: 'b', weight: 3, bonus: Float32Array.of(1, 0) }],
    );
    expect([objective.gain(0), objective.gain(1)]).toEqual([1 + 3, 0.75 + 4]);
    expect(objective.commit(1)).toEqual({ gain: 4.75, byTerm: [0.375, 4] });
    expect([objective.gain(0), objective.gain(1)]).toEqual([0.5 + 3, 0]);
    expect(objective.commit(0)).toEqual({ gain: 3.5, byTerm: [0.25, 0] });
  });

  it('gains are never negative, never grow on larger sets, and initial bounds hold', () => {
    fc.assert(
      fc.property(objectives, ({ n, rows, weights, bonus, order }) => {
        const objective = new WeightedObjective(
          n,
          [blockOf(0.5, rows, weights), blockOf(1, rows.toReversed(), weights)],
          [{ name: 'b', weight: 0.25, bonus: Float32Array.from(bonus) }],
        );
        const bounds = objective.initialBounds();
        let before = Array.from(bounds);
        for (const next of order) {
          const gains = range(n).map((j) => objective.gain(j));
          gains.forEach((gain, j) => {
            expect(gain).toBeGreaterThanOrEqual(0);
            expect(gain).toBeLessThanOrEqual(before[j] as number);
          });
          const added = objective.commit(next).gain;
          expect(added).toBe(gains[next]);
          before = gains;
        }
        range(n).forEach((j) => {
          expect(objective.gain(j)).toBe(0.25 * Math.fround(bonus[j] as number));
        });
      }),
      { numRuns: 200 },
    );
  });

  it('with no terms is all zeros', () => {
    const objective = new WeightedObjective(3, [], []);
    expect([objective.gain(0), [...objective.initialBounds()], objective.commit(2)]).toEqual([
      0,
      [0, 0, 0],
      { gain: 0, byTerm: [] },
    ]);
  });
});

describe('lazy and naive greedy on the bare objective', () => {
  const search = (maximizer: Maximizer, objective: Objective, budget: number, exclude: readonly number[]) => {
    const eligibility = new Eligibility(objective.candidates, { exclude }, budget);
    const order: number[] = [];
    let value = 0;
    const bounds = maximizer.maximize(objective, {
      budget,
      eligibility,
      pick(j) {
        eligibility.pick(j);
        order.push(j);
        value += objective.commit(j).gain;
        return value;
      },
    });
    const left = range(objective.candidates).filter((j) => eligibility.isLeft(j));
    for (const j of left) expect(bounds[j]).toBeGreaterThanOrEqual(objective.gain(j));
    return { order, value };
  };

  it('make the same picks in thousands of cases with ties and duplicates', () => {
    const quantized = fc
      .tuple(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 12 }))
      .chain(([n, m]) =>
        fc.record({
          pool: fc.array(fc.array(level, { minLength: m, maxLength: m }), { minLength: 1, maxLength: 5 }),
          from: fc.array(fc.nat(), { minLength: n, maxLength: n }),
          weights: fc.array(fc.constantFrom(0, 0.1, 0.1, 1 / 3, 1), { minLength: m, maxLength: m }),
          budget: fc.integer({ min: 1, max: n }),
          exclude: fc.array(fc.nat(n - 1), { maxLength: 2 }),
        }),
      );
    fc.assert(
      fc.property(quantized, ({ pool, from, weights, budget, exclude }) => {
        const rows = from.map((each) => pool[each % pool.length] as number[]);
        const block = blockOf(0.7, rows, weights);
        const [lazy, naive] = [lazyGreedy(), naiveGreedy()].map((maximizer) =>
          search(maximizer, new WeightedObjective(rows.length, [block], []), budget, exclude),
        );
        expect(lazy).toEqual(naive);
        expect(lazy?.order).toHaveLength(Math.min(budget, rows.length - new Set(exclude).size));
        block.matrix.release();
      }),
      { numRuns: 4000 },
    );
  });

  it('take any objective, and lazy evaluates far less', () => {
    const counted = (values: readonly number[]) => {
      const picked = new Set<number>();
      const calls = { gains: 0 };
      const objective: Objective = {
        candidates: values.length,
        gain(j) {
          calls.gains++;
          return picked.has(j) ? 0 : (values[j] as number) / (1 + picked.size);
        },
        initialBounds: () => Float64Array.from(values),
        commit(j) {
          const gain = (values[j] as number) / (1 + picked.size);
          picked.add(j);
          return { gain, byTerm: [] };
        },
      };
      return { objective, calls };
    };
    const values = range(200).map((j) => 1 / (1 + ((j * 37) % 200)));
    const [lazy, naive] = [counted(values), counted(values)];
    const picks = search(lazyGreedy(), lazy.objective, 20, []);
    expect(picks.order).toEqual(search(naiveGreedy(), naive.objective, 20, []).order);
    expect(lazy.calls.gains - 180).toBeLessThan((naive.calls.gains - 180) / 5);
  });

  it('stop at the target, once enough are picked', () => {
    for (const maximizer of [lazyGreedy(), naiveGreedy()]) {
      for (const [minimum, kept] of [
        [0, 2],
        [3, 3],
      ] as const) {
        const eligibility = new Eligibility(4, {}, 4);
        const objective = new WeightedObjective(
          4,
          [],
          [{ name: 'b', weight: 1, bonus: Float32Array.of(1, 4, 2, 3) }],
        );
        const order: number[] = [];
        let value = 0;
        maximizer.maximize(objective, {
          ...{ budget: 4, target: 6, minimum, eligibility },
          pick(j) {
            eligibility.pick(j);
            order.push(j);
            value += objective.commit(j).gain;
            return value;
          },
        });
        expect(order).toEqual([1, 3, 2].slice(0, kept));
      }
    }
  });
});

describe('largestGains', () => {
  it('are the largest, fresh, highest first', () => {
    fc.assert(
      fc.property(objectives, fc.nat(14), ({ n, rows, weights, order }, count) => {
        const objective = new WeightedObjective(n, [blockOf(1, rows, weights)], []);
        const bounds = objective.initialBounds();
        const [first, ...left] = order as [number, ...number[]];
        objective.commit(first);
        const wanted = left.map((j) => objective.gain(j)).sort((a, b) => b - a);
        expect(largestGains(objective, left, bounds, count)).toEqual(wanted.slice(0, count));
      }),
      { numRuns: 300 },
    );
  });
});
