// selectTokens end to end on small inputs: the official code's bugs, and what a result says.

import { describe, expect, it } from 'vitest';
import { backend } from '../../test/table-case.js';
import { base, range, refusing, text, vision, visionFeatures } from '../../test/thirty-tokens.js';
import type { HostTensor, MatrixInput } from '../backend/tensor.js';
import { saliency, textCoverage, visionCoverage } from '../coverage/terms.js';
import { InvalidTensorError } from '../errors.js';
import { halfToFloat } from '../internal/half.js';
import type { SelectOptions } from './options.js';
import { selectTokens } from './select-tokens.js';
import { prefix } from './selection.js';

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

describe('where the official code is wrong', () => {
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
  ])('keeps nothing if %s, and says so', async (_, constraints) => {
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

    it('give no NaN, and the right tokens are picked', async () => {
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

    it('everywhere make all tokens alike, so the first ones are kept', async () => {
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

    it('is an error if every term reads text', async () => {
      const act = selectTokens({ backend, vision, coverage: [textCoverage()], budget: { tokens: 5 } });
      await expect(act).rejects.toThrow(InvalidTensorError);
      await expect(act).rejects.toThrow(/every term of the objective reads them/);
    });

    it('is valid if there is also a bonus', async () => {
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

  it('float16 inputs give the same result as the same numbers in float32', async () => {
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

  it('accepts every form of the same tensors', async () => {
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

  it('reports the coverage of every term by name; it grows to 1 with the last token', async () => {
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

describe('tokens without features', () => {
  it('of width 0 are all equal', async () => {
    const none = { data: new Float32Array(0), dims: [4, 0] };
    const selection = await selectTokens({ backend, vision: none, budget: { tokens: 2 } });
    expect(selection.order).toEqual([0, 1]);
  });

  it('a single one is kept without reading it', async () => {
    const selection = await selectTokens({ backend: refusing, vision: [[1, 2]], budget: { ratio: 0.1 } });
    expect(selection).toMatchObject({ indices: [0], reason: 'belowBudget' });
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
