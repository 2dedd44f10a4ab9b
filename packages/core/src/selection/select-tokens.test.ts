// selectTokens end to end on small inputs: the official code's bugs, budgets and reasons, constraints, bad input.

import { describe, expect, it } from 'vitest';
import { backend, solve, type TableCase, tableTerm } from '../../test/table-case.js';
import type { Backend } from '../backend/backend.js';
import type { HostTensor, MatrixInput } from '../backend/tensor.js';
import { defineCoverage } from '../coverage/define-coverage.js';
import { saliency, textCoverage, visionCoverage } from '../coverage/terms.js';
import {
  InvalidBudgetError,
  InvalidOptionsError,
  InvalidTensorError,
  MatrixTooLargeError,
  MmtokError,
} from '../errors.js';
import { halfToFloat } from '../internal/half.js';
import { syntheticFeatures, syntheticText } from '../testing/synthetic-features.js';
import type { SelectOptions } from './options.js';
import { selectTokens } from './select-tokens.js';
import { prefix } from './selection.js';

const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, j) => from + j);
const map = (height: number, width: number, dim: number, seed: number) =>
  syntheticFeatures({ height, width, dim, clusters: 3, noise: 0.5, common: 0.7, seed });

const vision = map(5, 6, 12, 1);
const visionFeatures = map(5, 6, 8, 2);
const text = syntheticText(vision, 3, 3);
const base = { backend, vision, visionFeatures, text };

/** A backend that must not be reached. */
const refusing: Backend = {
  name: 'refusing',
  device: 'none',
  precision: 0,
  run: () => Promise.reject(new Error('the backend was used')),
  dispose: () => Promise.resolve(),
};

/** The same numbers as half-precision bits; `values` must be halfs already. */
function toHalf(tensor: { readonly data: Float32Array; readonly dims: readonly number[] }): HostTensor {
  const bitsOf = new Map(range(0x10000).map((bits) => [halfToFloat(bits), bits]));
  return {
    type: 'float16',
    data: Uint16Array.from(tensor.data, (value) => bitsOf.get(value) as number),
    dims: tensor.dims,
  };
}

/** Float32 rounded to halfs (by truncating the fraction), so that both forms hold the same numbers. */
function truncated(tensor: { readonly data: Float32Array; readonly dims: readonly number[] }) {
  const data = Float32Array.from(tensor.data, (value) => Math.trunc(value * 256) / 256);
  return { type: 'float32', data, dims: tensor.dims } as const;
}

describe('where the official code goes wrong', () => {
  it.each([
    [5, 30],
    [5, 29],
    [7, 8],
    [1, 2],
  ])('with %d selectable tokens and a budget of %d, keeps each of them once', async (selectable, tokens) => {
    const exclude = range(30 - selectable);
    for (const maximizer of ['lazy', 'naive'] as const) {
      const selection = await selectTokens({
        ...base,
        maximizer,
        budget: { tokens },
        constraints: { exclude },
      });
      expect(selection.indices).toEqual(range(selectable, 30 - selectable));
      expect(new Set(selection.order).size).toBe(selectable);
      expect(selection.reason).toBe('allSelectable');
    }
  });

  it.each<[string, SelectOptions['constraints']]>([
    ['everything is excluded', { exclude: range(30) }],
    ['groups keep nothing', { exclude: [29], groups: [{ members: range(29), max: 0 }] }],
  ])('keeps nothing where %s, and says so', async (_, constraints) => {
    const selection = await selectTokens({ ...base, budget: { tokens: 4 }, constraints });
    expect(selection).toMatchObject({ indices: [], order: [], gains: [], value: 0, reason: 'allSelectable' });
    expect(selection.coverage).toEqual({ text: 0, vision: 0 });
    expect(selection.optimality).toBe(1);
    expect(selection.notes.join()).toContain('nothing is kept');
  });

  describe.each(['float32', 'float16'] as const)('zero rows in %s', (type) => {
    const form = (rows: readonly (readonly number[])[]): MatrixInput => {
      const data = Float32Array.from(rows.flat());
      const tensor = { type: 'float32', data, dims: [rows.length, rows[0]?.length ?? 0] } as const;
      return type === 'float16' ? toHalf(tensor) : tensor;
    };

    it('make no NaN, and the right tokens are picked', async () => {
      // Token 0 is zero; 1 and 2 are what the two text rows ask for; 3 and 4 resemble 1.
      const rows = [
        [0, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
        [1, 0.25, 0.25],
        [1, 0.25, -0.25],
      ];
      const selection = await selectTokens({
        backend,
        vision: form(rows),
        text: form([
          [0, 2, 0],
          [3, 0, 0],
          [0, 0, 0],
        ]),
        budget: { tokens: 2 },
      });
      expect(selection.indices).toEqual([1, 2]);
      expect([selection.value, selection.upperBound, ...selection.gains].every(Number.isFinite)).toBe(true);
      // The zero text row sees all five alike: 1/5 of it is covered by any token.
      expect(selection.coverage.text).toBeGreaterThan(0.99);
    });

    it('everywhere: all tokens are alike, so the first ones are kept', async () => {
      const zero = form(range(6).map(() => [0, 0, 0]));
      const selection = await selectTokens({ backend, vision: zero, text: zero, budget: { tokens: 3 } });
      expect(selection.order).toEqual([0, 1, 2]);
      expect(selection.value).toBeCloseTo((1 + 0.5) / 6, 6);
      expect(selection.coverage.text).toBeCloseTo(1, 6);
      expect(selection.coverage.vision).toBeCloseTo(1, 6);
    });
  });

  describe('no text', () => {
    const wanted = selectTokens({
      backend,
      vision,
      visionFeatures,
      coverage: [visionCoverage()],
      budget: { tokens: 5 },
    });
    it.each<[string, MatrixInput | undefined]>([
      ['absent', undefined],
      ['[]', []],
      ['[0, D]', { data: new Float32Array(0), dims: [0, 12] }],
      ['[1, 0, D]', { type: 'float32', data: new Float32Array(0), dims: [1, 0, 12] }],
      ['[0, D] in float16', { type: 'float16', data: new Uint16Array(0), dims: [0, 12] }],
    ])('%s: vision coverage alone decides, and a note says so', async (_, none) => {
      const selection = await selectTokens({
        backend,
        vision,
        visionFeatures,
        ...(none && { text: none }),
        budget: { tokens: 5 },
      });
      expect(selection.order).toEqual((await wanted).order);
      expect(selection.gains).toEqual((await wanted).gains);
      expect(Object.keys(selection.coverage)).toEqual(['vision']);
      expect(selection.notes).toEqual([expect.stringContaining("'text'")]);
    });

    it('is an error where every term reads text', async () => {
      const act = selectTokens({ backend, vision, coverage: [textCoverage()], budget: { tokens: 5 } });
      await expect(act).rejects.toThrow(InvalidTensorError);
      await expect(act).rejects.toThrow(/every term of the objective reads them/);
    });

    it('is no error beside a bonus', async () => {
      const selection = await selectTokens({
        backend,
        vision: [[1], [1], [1]],
        coverage: [textCoverage(), saliency()],
        inputs: { saliency: [[0.1], [0.3], [0.2]] },
        budget: { tokens: 2 },
      });
      expect(selection.order).toEqual([1, 2]);
    });
  });

  it('one text row is enough', async () => {
    const row = [...vision.data.subarray(17 * 12, 18 * 12)];
    const selection = await selectTokens({ ...base, text: [row], budget: { tokens: 1 } });
    expect(selection.order).toEqual([17]);
    expect(selection.notes).toEqual([]);
  });

  it.each([1, 7, 30])('a constant image of %d tokens per side is kept from its start', async (side) => {
    const flat = range(side).map(() => [0.3, -1.2, 0.7]);
    const selection = await selectTokens({
      backend,
      vision: flat,
      text: [[1, 2, 3]],
      budget: { coverage: 1, min: Math.ceil(side / 2) },
    });
    expect(selection.order).toEqual(range(Math.ceil(side / 2)));
  });

  it('float16 inputs give what the same numbers give in float32', async () => {
    const [v, f, t] = [truncated(vision), truncated(visionFeatures), truncated(text)];
    const wide = await selectTokens({
      backend,
      vision: v,
      visionFeatures: f,
      text: t,
      budget: { tokens: 12 },
    });
    const half = await selectTokens({
      backend,
      vision: toHalf(v),
      visionFeatures: toHalf(f),
      text: toHalf(t),
      budget: { tokens: 12 },
    });
    expect(half.order).toEqual(wide.order);
    expect(half.gains).toEqual(wide.gains);
  });
});

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

  it.each([0, -3, 1.5, Number.NaN, '8', null])('a budget of %o tokens is refused', async (tokens) => {
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
  ])('the budget %o is refused', async (budget) => {
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

    it('that exclusions put out of reach keeps all that is selectable, and says so', async () => {
      const selection = await solve(problem, { budget: { coverage: 0.9 }, constraints: { exclude: [0, 4] } });
      expect(selection).toMatchObject({ indices: [1, 2, 3], reason: 'allSelectable' });
      expect(selection.coverage.a).toBeCloseTo(0.75, 9);
    });

    it('that the must-keeps reach takes no further token', async () => {
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

    it('counts bonuses in', async () => {
      const withBonus: TableCase = { ...problem, bonus: { weight: 1, values: [0, 0, 0, 0, 3] } };
      const selection = await solve(withBonus, { budget: { coverage: 0.75 } });
      expect(selection.order).toEqual([4]);
    });

    it('where nothing can be covered, keeps the fewest allowed', async () => {
      const nothing: TableCase = { candidates: 4, a: { weight: 1, rows: range(4).map(() => [0, 0]) } };
      const selection = await solve(nothing, { budget: { coverage: 0.9 } });
      expect(selection).toMatchObject({ order: [0], value: 0, optimality: 1, coverage: { a: 1 } });
    });
  });
});

describe('the result', () => {
  it('lists indices ascending, order by pick, and one gain per pick', async () => {
    const selection = await selectTokens({ ...base, budget: { tokens: 10 } });
    expect(selection.indices).toEqual(selection.order.toSorted((a, b) => a - b));
    expect(selection.gains).toHaveLength(10);
    expect(selection.value).toBe(selection.gains.reduce((sum, gain) => sum + gain, 0));
    expect(selection.visionTokens).toBe(30);
    const { similarityMs, maximizeMs, totalMs } = selection.timings;
    expect(Math.min(similarityMs, maximizeMs)).toBeGreaterThanOrEqual(0);
    expect(totalMs).toBeGreaterThanOrEqual(similarityMs + maximizeMs - 1e-6);
  });

  it('takes every form of the same tensors', async () => {
    const rows = ({ data, dims }: HostTensor): number[][] =>
      range(dims[0] as number).map((i) => [
        ...data.subarray(i * (dims[1] as number), (i + 1) * (dims[1] as number)),
      ]);
    const wanted = await selectTokens({ ...base, budget: { tokens: 6 } });
    const forms: Partial<SelectOptions>[] = [
      { vision: rows(vision), visionFeatures: rows(visionFeatures), text: rows(text) },
      { vision: { ...vision, dims: [1, 30, 12] }, text: { ...text, dims: [1, 3, 12] } },
      { vision: { data: Float64Array.from(vision.data), dims: [30, 12] } },
      { vision: { type: 'float32', data: vision.data, dims: [30, 12], location: 'cpu' } as MatrixInput },
    ];
    for (const form of forms) {
      expect((await selectTokens({ ...base, ...form, budget: { tokens: 6 } })).order).toEqual(wanted.order);
    }
  });

  it('visionFeatures default to the projected tokens', async () => {
    const without = await selectTokens({ backend, vision, text, budget: { tokens: 6 } });
    const same = await selectTokens({ backend, vision, visionFeatures: vision, text, budget: { tokens: 6 } });
    expect(without.order).toEqual(same.order);
    expect(without.gains).toEqual(same.gains);
  });

  it('tells the coverage of every term by name, growing to 1 with the last token', async () => {
    const selection = await selectTokens({ ...base, budget: { coverage: 1, min: 30 } });
    expect(selection.order).toHaveLength(30);
    let before: Readonly<Record<string, number>> = { text: 0, vision: 0 };
    for (let k = 1; k <= 30; k++) {
      const { coverage } = prefix(selection, k);
      for (const term of ['text', 'vision']) {
        expect(coverage[term]).toBeGreaterThanOrEqual(before[term] as number);
        expect(coverage[term]).toBeLessThanOrEqual(1);
      }
      before = coverage;
    }
    expect(before.text).toBeCloseTo(1, 6);
    expect(before.vision).toBeCloseTo(1, 6);
  });
});

describe('constraints', () => {
  it('must-keeps come first, ascending, and count towards the budget', async () => {
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
  ])('refuses %s', async (_, constraints, message) => {
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
      '5 candidates must be kept, the budget is 4',
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
    ['a minimum above what is there', { groups: [{ members: [1, 2], min: 3 }] }, 'of its 2 selectable'],
    ['minima above the budget', { groups: [{ members: range(10), min: 5 }] }, 'the budget is 4'],
    [
      'more must-keeps of a group than its maximum',
      { include: [1, 2], groups: [{ members: [1, 2, 3], max: 1 }] },
      'keeps at most 1, but 2',
    ],
    [
      'minima and must-keeps that together exceed the budget',
      { include: [20, 21], groups: [{ members: [1, 2, 3], min: 3 }] },
      'need 5 tokens, the budget is 4',
    ],
  ])('refuses %s as a budget that nothing satisfies', async (_, constraints, message) => {
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

  it('group maxima below the budget keep all that they allow', async () => {
    const selection = await selectTokens({
      ...base,
      budget: { tokens: 30 },
      constraints: { groups: [{ members: range(20), max: 2 }] },
    });
    expect(selection.order).toHaveLength(12);
    expect(selection.reason).toBe('allSelectable');
  });
});

describe('bad input', () => {
  const poisoned = (at: number, value: number): MatrixInput => {
    const data = vision.data.slice();
    data[at] = value;
    return { data, dims: [30, 12] };
  };

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2e18, -3e38])(
    'names the row and column of %d',
    async (value) => {
      // Every residue of 4, first and last element.
      for (const at of [0, 1, 2, 3, 101, 354, 359]) {
        const act = selectTokens({
          ...base,
          vision: poisoned(at, value),
          budget: { tokens: 4 },
        });
        await expect(act).rejects.toThrow(InvalidTensorError);
        await expect(act).rejects.toThrow(
          `Tensor 'vision': row ${Math.floor(at / 12)}, column ${at % 12} is ${Math.fround(value)}`,
        );
      }
    },
  );

  it.each([
    [0x7c00, 'Infinity'],
    [0xfc00, '-Infinity'],
    [0x7e00, 'NaN'],
  ])('names the row and column of the half 0x%s', async (bits, value) => {
    const data = new Uint16Array(6);
    data[4] = bits;
    const half: MatrixInput = { type: 'float16', data, dims: [2, 3] };
    const act = selectTokens({ backend, vision: half, budget: { tokens: 1 } });
    await expect(act).rejects.toThrow(`row 1, column 1 is ${value}`);
  });

  it('checks visionFeatures, text and custom inputs as well', async () => {
    const budget = { tokens: 4 };
    const bad = [[1, Number.NaN, ...range(10)]];
    await expect(selectTokens({ ...base, text: bad, budget })).rejects.toThrow(
      "Tensor 'text': row 0, column 1 is NaN",
    );
    const inputs = { prior: range(30).map((j) => [j === 3 ? Number.NaN : 1]) };
    const prior = defineCoverage({
      name: 'prior',
      inputs: { prior: { dims: ['n', 'r'] } },
      targets: 'r',
      build: (_, tensors) => ({ affinity: tensors.prior }),
    });
    await expect(selectTokens({ ...base, coverage: [prior()], inputs, budget })).rejects.toThrow(
      "Tensor 'prior': row 3, column 0 is NaN",
    );
    const features = range(30).map((j) => [j === 29 ? Number.NaN : 1]);
    await expect(selectTokens({ ...base, visionFeatures: features, budget })).rejects.toThrow(
      "Tensor 'visionFeatures': row 29, column 0 is NaN",
    );
  });

  it('takes large values that can still be squared, and zeros of both signs', async () => {
    const selection = await selectTokens({
      backend,
      vision: [
        [1e17, 0],
        [-0, 1e17],
      ],
      text: [[0, 1]],
      budget: { tokens: 1 },
    });
    expect(selection.order).toEqual([1]);
  });

  it.each<[string, Partial<SelectOptions>, string]>([
    ['no vision tokens', { vision: [] }, "'vision': expected at least one vision token"],
    ['[0, D] vision tokens', { vision: { data: new Float32Array(0), dims: [0, 12] } }, 'at least one'],
    ['a vector', { vision: { data: new Float32Array(12), dims: [12] } }, "'vision': expected a matrix"],
    ['features of another length', { visionFeatures: [[1], [2]] }, "'visionFeatures': expected 30 rows"],
    [
      'text of another width',
      { text: [[1, 2, 3]] },
      "'coverage(text).tensors/text': expected shape [m, D] with D = 12",
    ],
    [
      'data of another length',
      { vision: { data: new Float32Array(7), dims: [30, 12] } },
      'needs 360 elements',
    ],
  ])('refuses %s', async (_, wrong, message) => {
    const act = selectTokens({ ...base, ...wrong, budget: { tokens: 4 } });
    await expect(act).rejects.toThrow(InvalidTensorError);
    await expect(act).rejects.toThrow(message);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['a missing backend', { backend: undefined }, 'expected a backend'],
    ['something else as backend', { backend: { name: 'ort' } }, 'expected a backend'],
    ['no terms', { coverage: [] }, 'at least one term'],
    ['terms that are none', { coverage: [{ name: 'text' }] }, 'expected a term made by'],
    ['a factory for a term', { coverage: [textCoverage] }, 'expected a term made by'],
    [
      'two terms of one name',
      { coverage: [visionCoverage(), visionCoverage({ weight: 2 })] },
      'different names',
    ],
    ['an unknown search', { maximizer: 'fast' }, "expected 'lazy'"],
    ['a ceiling of 0', { maxMatrixBytes: 0 }, 'maxMatrixBytes'],
    ['a ceiling that is no number', { maxMatrixBytes: '1 GiB' }, 'maxMatrixBytes'],
  ])('refuses %s', async (_, wrong, message) => {
    const act = selectTokens({ ...base, ...wrong, budget: { tokens: 4 } } as unknown as SelectOptions);
    await expect(act).rejects.toThrow(InvalidOptionsError);
    await expect(act).rejects.toThrow(message);
  });

  it('refuses a matrix above the ceiling before anything is computed, and takes one of exactly that size', async () => {
    const bytes = 30 * 30 * 4;
    const act = selectTokens({
      ...base,
      backend: refusing,
      coverage: [visionCoverage()],
      maxMatrixBytes: bytes - 1,
      budget: { tokens: 4 },
    });
    await expect(act).rejects.toThrow(MatrixTooLargeError);
    await expect(act).rejects.toMatchObject({ bytes, code: 'MMTOK_MATRIX_TOO_LARGE' });
    await expect(act).rejects.toThrow(/'vision'.*30 × 30/);
    const fits = await selectTokens({ ...base, maxMatrixBytes: bytes, budget: { tokens: 4 } });
    expect(fits.order).toHaveLength(4);
  });

  it.each([
    // 3,000² floats are 0.034 GiB, which peak at 2.5 times; the tensor is 3,000 × 2 floats.
    ['lazy', '0.08 GiB of memory'],
    ['device', '0.08 GiB of memory'],
  ] as const)('says what memory a matrix takes with the maximizer %s', async (maximizer, memory) => {
    const image = { data: new Float32Array(6000).fill(1), dims: [3000, 2] };
    const act = selectTokens({
      backend: refusing,
      vision: image,
      coverage: [visionCoverage()],
      maximizer,
      maxMatrixBytes: 1,
      budget: { tokens: 4 },
    });
    await expect(act).rejects.toThrow(memory);
  });

  it('passes errors of the backend on', async () => {
    await expect(selectTokens({ ...base, backend: refusing, budget: { tokens: 4 } })).rejects.toThrow(
      'the backend was used',
    );
  });

  it('works with a backend that returns memory of its own', async () => {
    const aloof: Backend = { ...backend, run: (program, inputs) => backend.run(program, inputs) };
    const budget = { tokens: 6 };
    const wanted = await selectTokens({ ...base, budget });
    // Another image's numbers pass through the memory in between.
    await selectTokens({ ...base, vision: map(5, 6, 12, 7), visionFeatures: map(5, 6, 8, 8), budget });
    const selection = await selectTokens({ ...base, backend: aloof, budget });
    expect(selection.order).toEqual(wanted.order);
    expect(selection.gains).toEqual(wanted.gains);
  });
});

describe('tokens without features', () => {
  it('of width 0 are all alike', async () => {
    const none = { data: new Float32Array(0), dims: [4, 0] };
    const selection = await selectTokens({ backend, vision: none, budget: { tokens: 2 } });
    expect(selection.order).toEqual([0, 1]);
  });

  it('a single one is kept without being looked at', async () => {
    const selection = await selectTokens({ backend: refusing, vision: [[1, 2]], budget: { ratio: 0.1 } });
    expect(selection).toMatchObject({ indices: [0], reason: 'belowBudget' });
  });
});

describe('a custom input with the wrong number of rows', () => {
  const prior = tableTerm('prior');
  it.each([4, 29, 31, 60])('%d instead of 30 is refused', async (rows) => {
    const act = selectTokens({
      ...base,
      coverage: [prior()],
      inputs: { prior: range(rows).map(() => [1, 2]) },
      budget: { tokens: 4 },
    });
    await expect(act).rejects.toThrow(InvalidTensorError);
    await expect(act).rejects.toThrow(/prior/);
    await expect(act).rejects.toThrow(/30/);
  });
});

describe('a term of weight 0', () => {
  it.each(['lazy', 'device'] as const)('is still measured, but does not count (%s)', async (maximizer) => {
    const options = { ...base, budget: { tokens: 3 }, maximizer };
    const without = await selectTokens({ ...options, coverage: [textCoverage()] });
    const beside = await selectTokens({
      ...options,
      coverage: [textCoverage(), visionCoverage({ weight: 0 })],
    });
    expect(beside.order).toEqual(without.order);
    expect(beside.value).toBeCloseTo(without.value, 6);
    expect(beside.coverage.vision).toBeGreaterThan(0.1);
    expect(beside.coverage.vision).toBeLessThan(1);
  });
});
