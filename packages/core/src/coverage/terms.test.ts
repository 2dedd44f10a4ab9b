// The built-in coverage terms: options and what is rejected, weights per term and per target.

import { describe, expect, it } from 'vitest';
import { budget, rejects, value, vision } from '../../test/five-tokens.js';
import { paperMatrix } from '../../test/paper-oracle.js';
import { backend } from '../../test/table-case.js';
import { InvalidTensorError } from '../errors.js';
import type { SelectOptions } from '../selection/options.js';
import { prepareImage, selectTokens } from '../selection/select-tokens.js';
import { saliency, textCoverage, visionCoverage } from './terms.js';

describe('options', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['a temperature of 0', { temperature: 0 }, 'temperature'],
    ['a negative temperature', { temperature: -0.1 }, 'temperature'],
    ['an infinite temperature', { temperature: Number.POSITIVE_INFINITY }, 'temperature'],
    ['a negative weight', { weight: -1 }, 'weight'],
    ['a weight that is NaN', { weight: Number.NaN }, 'weight'],
    ['a negative target weight', { targetWeights: [1, -1] }, 'targetWeights.1'],
    ['target weights that are none', { targetWeights: 'all' }, 'targetWeights'],
    ['an unknown option', { alpha: 0.5 }, 'alpha'],
  ])('text and vision coverage reject %s', (_, options, message) => {
    rejects(() => textCoverage(options), message);
    rejects(() => visionCoverage(options), message);
  });

  it('of a particular term are checked by that term', () => {
    rejects(() => textCoverage({ peakedness: -1 }), 'options of textCoverage: peakedness');
    rejects(() => visionCoverage({ features: 'text' as 'vision' }), 'options of visionCoverage: features');
    rejects(() => visionCoverage({ focus: -1 }), 'options of visionCoverage: focus');
    rejects(() => visionCoverage({ focus: Number.POSITIVE_INFINITY }), 'options of visionCoverage: focus');
    rejects(() => saliency({ weight: -1 }), 'options of saliency: weight');
    rejects(() => saliency({ input: '' }), 'input');
    rejects(() => saliency({ name: 'x' } as unknown as Record<string, never>), 'name');
  });

  it('default to the paper’s', () => {
    expect(textCoverage()).toMatchObject({ name: 'text', weight: 1, parameters: { temperature: 0.02 } });
    expect(visionCoverage()).toMatchObject({ name: 'vision', weight: 0.5, parameters: { temperature: 0.2 } });
    expect(saliency()).toEqual({ kind: 'bonus', name: 'saliency', weight: 1, input: 'saliency' });
  });

  it('need no recompilation: one program serves all temperatures', () => {
    expect(textCoverage({ temperature: 0.01 }).programs.whole).toBe(textCoverage().programs.whole);
    expect(visionCoverage({ temperature: 0.1, weight: 2 }).programs.whole).toBe(
      visionCoverage().programs.whole,
    );
    expect(visionCoverage({ focus: 2 }).programs.whole).toBe(visionCoverage({ focus: 4 }).programs.whole);
    expect(visionCoverage({ focus: 0 }).programs.whole).toBe(visionCoverage().programs.whole);
  });
});

describe('the paper’s terms', () => {
  const text = [
    [1, 0.1, 0],
    [0, 0.5, 1],
  ];
  const covered = (rows: readonly (readonly number[])[], picked: readonly number[]): number =>
    rows.reduce((sum, row) => sum + Math.max(...picked.map((j) => row[j] as number)), 0);

  it.each([0.005, 0.02, 0.1, 1])('follow their temperature: %d', async (temperature) => {
    const matrix = paperMatrix({
      ...{ vision, visionFeatures: vision, text, alpha: 1 },
      ...{ textTemperature: temperature, visionTemperature: temperature },
    });
    for (const [coverage, rows] of [
      [[textCoverage({ temperature })], matrix.slice(0, 2)],
      [[visionCoverage({ temperature, weight: 1 })], matrix.slice(2)],
    ] as const) {
      const selection = await selectTokens({ backend, vision, text, coverage, budget });
      expect(selection.value).toBeCloseTo(covered(rows, selection.order), 5);
    }
  });

  it('are weighted', async () => {
    const once = await value({ text, coverage: [textCoverage()] });
    expect(await value({ text, coverage: [textCoverage({ weight: 3 })] })).toBeCloseTo(3 * once, 5);
    expect(await value({ text, coverage: [textCoverage({ weight: 0 })] })).toBe(0);
  });

  it('visionCoverage compares features from before the projector, or the projected tokens', async () => {
    const visionFeatures = [
      [1, 0],
      [0, 1],
      [1, 0.01],
      [0, 1],
      [1, 0],
    ];
    const before = await selectTokens({
      backend,
      vision,
      visionFeatures,
      coverage: [visionCoverage()],
      budget,
    });
    const projected = await selectTokens({
      ...{ backend, vision, visionFeatures, budget },
      coverage: [visionCoverage({ features: 'vision' })],
    });
    const alone = await selectTokens({ backend, vision, coverage: [visionCoverage()], budget });
    expect(projected.gains).toEqual(alone.gains);
    expect(before.gains).not.toEqual(alone.gains);
    const rows = paperMatrix({ vision, visionFeatures, text: [], alpha: 0.5 });
    expect(before.value).toBeCloseTo(covered(rows, before.order), 5);
  });
});

describe('focus', () => {
  const text = [
    [0, 0.5, 1],
    [0, 0, 3],
  ];
  const visionFeatures = [
    [1, 0, 0, 0.3],
    [0.8, 0.2, 0, 0],
    [0, 1, 0.4, 0],
    [0.1, 0.9, 0, 0.5],
    [0, 0.2, 1, 0.1],
  ];
  const select = (options: Partial<SelectOptions>) =>
    selectTokens({ backend, vision, visionFeatures, text, budget, ...options });

  /** What each target counts, by definition: in proportion to e^(focus · relevance). */
  const shares = (focus: number): readonly number[] => {
    const length = (row: readonly number[]) => Math.hypot(...row);
    const cosine = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, x, k) => sum + x * (b[k] as number), 0) / (length(a) * length(b));
    const means = vision.map((row) => text.reduce((sum, word) => sum + cosine(row, word), 0) / text.length);
    const [lowest, highest] = [Math.min(...means), Math.max(...means)];
    const powers = means.map((mean) => Math.exp((focus * (mean - lowest)) / (highest - lowest)));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  };

  it.each([0, 0.5, 4, 30])('%d weighs the targets by their relevance to the question', async (focus) => {
    // The oracle's rows are Q / n; the term's weight is 1.
    const rows = paperMatrix({ vision, visionFeatures, text: [], alpha: 1 });
    const best = (picked: readonly number[], of: readonly number[]) =>
      Math.max(...picked.map((j) => of[j] as number)) * rows.length;
    const selection = await select({ coverage: [visionCoverage({ focus, weight: 1 })] });
    const expected = rows.reduce(
      (sum, row, i) => sum + (shares(focus)[i] as number) * best(selection.order, row),
      0,
    );
    expect(selection.value).toBeCloseTo(expected, 5);
    expect(selection.coverage.vision).toBeCloseTo(
      expected / rows.reduce((sum, row, i) => sum + (shares(focus)[i] as number) * best([i], row), 0),
      5,
    );
  });

  it('shifts the selection toward the question', async () => {
    const coverage = [visionCoverage({ focus: 8 })];
    const first = async (word: readonly number[]) =>
      (await select({ coverage, text: [word], budget: { tokens: 1 } })).order;
    expect(await first([0, 0, 1])).toEqual([4]);
    expect(await first([1, 0, 0])).not.toEqual([4]);
  });

  it('compares projected tokens where these are the features', async () => {
    const projected = await select({ coverage: [visionCoverage({ focus: 4, features: 'vision' })] });
    const alone = await selectTokens({
      ...{ backend, vision, text, budget },
      coverage: [visionCoverage({ focus: 4 })],
    });
    expect(projected.gains).toEqual(alone.gains);
    expect(projected.gains).not.toEqual((await select({ coverage: [visionCoverage({ focus: 4 })] })).gains);
  });

  it.each([{}, { text: [] }])('is none without text (%j), and says so', async (none) => {
    const coverage = [visionCoverage({ focus: 4 })];
    const { notes, gains } = await selectTokens({
      ...{ backend, vision, visionFeatures, coverage, budget },
      ...none,
    });
    expect(gains).toEqual((await select({ coverage: [visionCoverage()] })).gains);
    expect(notes).toEqual([expect.stringContaining("'vision'")]);
  });

  it('is kept by a sample of the targets', async () => {
    const all = await select({ coverage: [visionCoverage({ focus: 4 })] });
    const drawn = await select({ coverage: [visionCoverage({ focus: 4, sample: { targets: 32 } })] });
    expect(drawn.order).toEqual(all.order);
    expect(drawn.value).toBeCloseTo(all.value, 6);
    // More tokens than are drawn: the scene, over and over, with a token that only the question brings out.
    const many = Array.from({ length: 60 }, (_, j) => vision[j % vision.length] as readonly number[]);
    const sample = { targets: 32 };
    const common = { backend, vision: many, text, budget };
    const few = await selectTokens({ ...common, coverage: [visionCoverage({ focus: 4, sample })] });
    const exact = await selectTokens({ ...common, coverage: [visionCoverage({ focus: 4 })] });
    expect(few.coverageError.vision).toBeGreaterThan(0);
    expect(few.value / exact.value).toBeGreaterThan(0.7);
    expect(few.value / exact.value).toBeLessThan(1.4);
    const without = await selectTokens({
      ...common,
      text: [],
      coverage: [visionCoverage({ focus: 4, sample })],
    });
    const plain = await selectTokens({ ...common, text: [], coverage: [visionCoverage({ sample })] });
    expect(without.gains).toEqual(plain.gains);
  });

  it('serves every question of a prepared image, by lazy greedy and on the device', async () => {
    const coverage = [textCoverage({ weight: 0.2 }), visionCoverage({ focus: 4 })];
    const image = prepareImage({ backend, vision, visionFeatures, coverage });
    for (const question of [text, [[1, 0, 0]], text]) {
      const once = await select({ coverage, text: question });
      const again = await image.select({ text: question, budget });
      const device = await image.select({ text: question, budget, maximizer: 'device' });
      expect([again.order, again.gains]).toEqual([once.order, once.gains]);
      expect(device.order).toEqual(once.order);
    }
    image.dispose();
  });
});

describe('weights per target', () => {
  const text = [
    [1, 0, 0],
    [0, 0, 1],
  ];

  it('change the selection, and are scaled to a mean of 1', async () => {
    const pick = async (targetWeights: readonly number[]) =>
      selectTokens({
        backend,
        vision,
        text,
        coverage: [textCoverage({ targetWeights })],
        budget: { tokens: 1 },
      });
    expect((await pick([1, 0])).order).toEqual([0]);
    expect((await pick([0, 1])).order).toEqual([4]);
    expect((await pick([10, 30])).gains).toEqual((await pick([1, 3])).gains);
    const even = await selectTokens({
      backend,
      vision,
      text,
      coverage: [textCoverage()],
      budget: { tokens: 1 },
    });
    expect((await pick([7, 7])).gains).toEqual(even.gains);
  });

  it('apply to vision tokens too', async () => {
    const coverage = [visionCoverage({ targetWeights: [0, 0, 0, 0, 1], temperature: 0.05 })];
    expect((await selectTokens({ backend, vision, coverage, budget: { tokens: 1 } })).order).toEqual([4]);
  });

  it.each<[string, SelectOptions['coverage'], string]>([
    ['too few', [textCoverage({ targetWeights: [1] })], "'coverage(text).targetWeights': expected 2 weights"],
    [
      'too many',
      [visionCoverage({ targetWeights: [1, 1, 1, 1, 1, 1] })],
      "'coverage(vision).targetWeights': expected 5",
    ],
    ['none at all', [textCoverage({ targetWeights: [] })], 'got 0'],
    ['zeros only', [textCoverage({ targetWeights: [0, 0] })], 'at least one weight must be above 0'],
  ])('are rejected: %s', async (_, coverage, message) => {
    const act = selectTokens({ backend, vision, text, ...(coverage && { coverage }), budget });
    await expect(act).rejects.toThrow(InvalidTensorError);
    await expect(act).rejects.toThrow(message);
  });
});

describe('peakedness', () => {
  // The first word points at token 4, the second sees all tokens alike.
  const flat = [
    [1, 0],
    [1, 0],
    [1, 0],
    [1, 0],
    [0, 1],
  ];
  const pointed = [0, 1];

  it('a word that is equally similar to all vision tokens has almost no weight', async () => {
    const run = (peakedness: number, text: number[][]) =>
      selectTokens({
        backend,
        vision: flat,
        text,
        coverage: [textCoverage({ peakedness })],
        budget: { tokens: 1 },
      });
    // A zero row has the same cosine with all tokens.
    const withBoth = await run(4, [pointed, [0, 0]]);
    const alone = await run(4, [pointed]);
    expect(withBoth.order).toEqual([4]);
    expect(withBoth.value).toBeCloseTo(alone.value, 4);
    const uniform = await run(0, [pointed, [0, 0]]);
    expect(uniform.value).toBeLessThan(0.7 * alone.value);
  });

  it('gives words that are equally peaked equal weights, and the term its weight', async () => {
    const text = [pointed, pointed, pointed];
    const gains = async (peakedness: number) =>
      (await selectTokens({ backend, vision: flat, text, coverage: [textCoverage({ peakedness })], budget }))
        .gains;
    const [even, weighted] = [await gains(0), await gains(4)];
    weighted.forEach((gain, pick) => {
      expect(gain).toBeCloseTo(even[pick] as number, 5);
    });
  });

  it.each([0.5, 4, 60, 1000])(
    '%d: where all words are flat they share the weight evenly',
    async (peakedness) => {
      const selection = await selectTokens({
        ...{ backend, vision: flat, budget },
        text: [
          [0, 0],
          [0, 0],
        ],
        coverage: [textCoverage({ peakedness })],
      });
      expect(selection.order).toEqual([0, 1]);
      expect(selection.value).toBeCloseTo(1 / 5, 5);
    },
  );

  it('combines with weights per target', async () => {
    const selection = await selectTokens({
      backend,
      vision,
      text: [
        [1, 0, 0],
        [0, 0, 1],
      ],
      coverage: [textCoverage({ peakedness: 2, targetWeights: [0, 1] })],
      budget: { tokens: 1 },
    });
    expect(selection.order).toEqual([4]);
  });
});
