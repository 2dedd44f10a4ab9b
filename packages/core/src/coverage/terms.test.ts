// Coverage terms: options and their refusals, weights per term and per target, terms of one's own.

import { describe, expect, it } from 'vitest';
import { paperMatrix } from '../../test/paper-oracle.js';
import { backend, solve, type TableCase, tableTerm } from '../../test/table-case.js';
import { InvalidOptionsError, InvalidTensorError } from '../errors.js';
import type { SelectOptions } from '../selection/options.js';
import { prepareImage, selectTokens } from '../selection/select-tokens.js';
import { defineCoverage } from './define-coverage.js';
import { saliency, textCoverage, visionCoverage } from './terms.js';

const refuses = (make: () => unknown, message: string | RegExp = ''): void => {
  expect(make).toThrow(InvalidOptionsError);
  expect(make).toThrow(message);
};

const vision = [
  [1, 0, 0],
  [0.9, 0.4, 0.1],
  [0, 1, 0.2],
  [0.1, 0.8, 0.9],
  [0, 0.1, 1],
];
const budget = { tokens: 2 };
const value = async (options: Partial<SelectOptions>): Promise<number> =>
  (await selectTokens({ backend, vision, budget, ...options })).value;

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
  ])('text and vision coverage refuse %s', (_, options, message) => {
    refuses(() => textCoverage(options), message);
    refuses(() => visionCoverage(options), message);
  });

  it('others are refused by the term they belong to', () => {
    refuses(() => textCoverage({ peakedness: -1 }), 'options of textCoverage: peakedness');
    refuses(() => visionCoverage({ features: 'text' as 'vision' }), 'options of visionCoverage: features');
    refuses(() => visionCoverage({ focus: -1 }), 'options of visionCoverage: focus');
    refuses(() => visionCoverage({ focus: Number.POSITIVE_INFINITY }), 'options of visionCoverage: focus');
    refuses(() => saliency({ weight: -1 }), 'options of saliency: weight');
    refuses(() => saliency({ input: '' }), 'input');
    refuses(() => saliency({ name: 'x' } as unknown as Record<string, never>), 'name');
  });

  it('default to the paper’s', () => {
    expect(textCoverage()).toMatchObject({ name: 'text', weight: 1, parameters: { temperature: 0.02 } });
    expect(visionCoverage()).toMatchObject({ name: 'vision', weight: 0.5, parameters: { temperature: 0.2 } });
    expect(saliency()).toEqual({ kind: 'bonus', name: 'saliency', weight: 1, input: 'saliency' });
  });

  it('parameters compile nothing anew: one program serves all temperatures', () => {
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
    // The oracle's rows are Q divided by n; the term's weight is 1.
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

  it('turns the choice towards the question', async () => {
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

  it('turn the choice, and are scaled to a mean of 1', async () => {
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
  ])('are refused: %s', async (_, coverage, message) => {
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

  it('a word that is flat over the vision tokens asks for next to nothing', async () => {
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

describe('saliency', () => {
  const coverage = [visionCoverage({ weight: 0 }), saliency({ input: 'attention', weight: 2 })];
  const bonus = [0.1, 0.4, 0.2, 0, 0.3];

  it('adds its bonus to every candidate’s gain, whatever else is kept', async () => {
    for (const attention of [
      bonus.map((each) => [each]),
      [bonus],
      { data: Float32Array.from(bonus), dims: [1, 5, 1] },
    ]) {
      const selection = await selectTokens({
        backend,
        vision,
        coverage,
        inputs: { attention },
        budget: { tokens: 3 },
      });
      expect(selection.order).toEqual([1, 4, 2]);
      [0.8, 0.6, 0.4].forEach((gain, pick) => {
        expect(selection.gains[pick]).toBeCloseTo(gain, 6);
      });
      expect(Object.keys(selection.coverage)).toEqual(['vision']);
    }
  });

  it('stands alone', async () => {
    const selection = await selectTokens({
      ...{ backend, vision, budget },
      coverage: [saliency()],
      inputs: { saliency: [bonus] },
    });
    expect(selection).toMatchObject({ order: [1, 4], coverage: {} });
  });

  it.each<[string, unknown, string]>([
    ['a negative bonus', [[0.1], [0.4], [-0.2], [0], [0.3]], 'candidate 2 has the bonus -0.2'],
    ['NaN', [[0.1], [Number.NaN], [0.2], [0], [0.3]], 'NaN'],
    ['too few', [[0.1, 0.2]], 'expected 5 float32 numbers'],
    ['too many', [[0.1], [0.4], [0.2], [0], [0.3], [0.3]], 'expected 5 float32 numbers'],
    ['half precision', { type: 'float16', data: new Uint16Array(5).fill(0x7c00), dims: [5, 1] }, 'Infinity'],
  ])('refuses %s', async (_, attention, message) => {
    const act = selectTokens({
      ...{ backend, vision, coverage, budget },
      inputs: { attention: attention as number[][] },
    });
    await expect(act).rejects.toThrow(InvalidTensorError);
    await expect(act).rejects.toThrow("Tensor 'attention'");
    await expect(act).rejects.toThrow(message);
  });

  it('refuses a matrix that happens to have as many numbers as there are tokens', async () => {
    const act = selectTokens({
      ...{ backend, vision: vision.slice(0, 4), coverage: [saliency()], budget },
      inputs: {
        saliency: [
          [1, 2],
          [3, 4],
        ],
      },
    });
    await expect(act).rejects.toThrow(InvalidTensorError);
  });

  it('is missed where it is not given', async () => {
    const act = selectTokens({ backend, vision, coverage, budget });
    await expect(act).rejects.toThrow(InvalidOptionsError);
    await expect(act).rejects.toThrow(
      /term 'attention' reads 'attention', but the tensors given are 'vision'/,
    );
  });
});

describe('defineCoverage', () => {
  const prior = tableTerm('prior');
  const run = (affinity: readonly (readonly number[])[], coverage = [prior()]) =>
    selectTokens({ backend, vision, coverage, inputs: { prior: affinity }, budget });

  it('adds a term that reads inputs of its own, by name', async () => {
    const selection = await run([
      [0, 0],
      [0.5, 0],
      [0, 0.25],
      [0, 1],
      [0.75, 0],
    ]);
    expect(selection.order).toEqual([3, 4]);
    expect(selection.value).toBeCloseTo((1 + 0.75) / 2, 6);
    expect(selection.coverage).toEqual({ prior: 1 });
  });

  it('stands beside the built-in terms, any number of them', async () => {
    const other = tableTerm('other');
    const selection = await selectTokens({
      ...{ backend, vision, budget },
      text: [[1, 0, 0]],
      coverage: [textCoverage(), visionCoverage(), prior({ weight: 0.5 }), other(), saliency()],
      inputs: {
        prior: vision,
        other: vision.map(([, , last]) => [last as number]),
        saliency: [[0, 0, 0, 0, 9]],
      },
    });
    expect(Object.keys(selection.coverage)).toEqual(['text', 'vision', 'prior', 'other']);
    expect(selection.order[0]).toBe(4);
  });

  it('hands parameters to build, with their defaults', async () => {
    const power = defineCoverage({
      name: 'power',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'D',
      parameters: { scale: 1, shift: 0 },
      build: (ops, inputs, { scale, shift }) => ({
        affinity: ops.add(ops.multiply(inputs.vision, scale), shift),
      }),
    });
    const plain = await value({ coverage: [power()] });
    expect(await value({ coverage: [power({ parameters: { scale: 4 } })] })).toBeCloseTo(4 * plain, 5);
    expect(await value({ coverage: [power({ parameters: { shift: 1 } })] })).toBeCloseTo(1 + plain, 5);
    expect(power({ parameters: { scale: 2 } }).parameters).toEqual({ scale: 2, shift: 0 });
  });

  it('takes targetWeights and peak from build', async () => {
    const own = defineCoverage({
      name: 'own',
      inputs: { vision: { dims: ['n', 'D'] }, importance: { dims: ['one row', 'D'] } },
      targets: 'D',
      build: (ops, inputs) => ({
        affinity: inputs.vision,
        targetWeights: inputs.importance,
        peak: ops.multiply(ops.max(inputs.vision, 0, { keepDims: true }), ops.scalar(2)),
      }),
    });
    const selection = await selectTokens({
      ...{ backend, vision, coverage: [own()], budget: { tokens: 1 } },
      inputs: { importance: [[0, 1, 0]] },
    });
    expect(selection.order).toEqual([2]);
    expect(selection.value).toBeCloseTo(1, 6);
    expect(selection.coverage.own).toBeCloseTo(0.5, 6);
  });

  it.each<[string, Parameters<typeof prior>[0] | Readonly<Record<string, unknown>>, string]>([
    ['a negative weight', { weight: -1 }, "options of coverage term 'prior': weight"],
    ['an unknown option', { temperature: 1 }, 'temperature'],
    [
      'an unknown parameter',
      { parameters: { temperature: 1 } },
      'unknown parameter temperature (known: none)',
    ],
    ['a negative target weight', { targetWeights: [-1] }, 'targetWeights.0'],
  ])('its term refuses %s', (_, options, message) => {
    refuses(() => prior(options as Parameters<typeof prior>[0]), message);
  });

  it('names the known parameters', () => {
    const term = defineCoverage({
      name: 'x',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'D',
      parameters: { sharpness: 1, floor: 0 },
      build: (_ops, inputs) => ({ affinity: inputs.vision }),
    });
    refuses(() => term({ parameters: { sharp: 1 } as Record<string, number> }), '(known: sharpness, floor)');
    refuses(() => term({ parameters: { floor: Number.NaN } }), 'parameters.floor');
  });

  it('refuses inputs that nobody could hand over', () => {
    const define = (inputs: Parameters<typeof defineCoverage>[0]['inputs']) => () =>
      defineCoverage({
        name: 'odd',
        inputs,
        targets: 'r',
        build: (_ops, { x }) => ({ affinity: x as never }),
      });
    refuses(define({ x: { dims: ['n'] } }), "the input 'x': it has 1 dimensions, but inputs are matrices");
    refuses(define({ x: { dims: ['n', 'r'], dtype: 'int32' } }), "its dtype is 'int32'");
  });

  it('refuses targets that no input counts, and inputs that do not count the candidates', () => {
    const define = (dims: readonly string[], targets: string) =>
      defineCoverage({
        name: 'lost',
        inputs: { prior: { dims } },
        targets,
        build: (_ops, inputs) => ({ affinity: inputs.prior }),
      });
    refuses(
      () => define(['n', 'r'], 'm'),
      "coverage term 'lost': no input has the dimension 'm' (dimensions: n, r)",
    );
    refuses(() => define(['r', 'c'], 'r'), "no input has the dimension 'n'");
  });

  it.each(['targetWeights', 'x:y', 'a/b', 'tensors', 'dims', 'norms/x', '~1'])(
    'takes an input of any name: %s',
    async (name) => {
      const own = defineCoverage({
        name: 'own',
        inputs: { [name]: { dims: ['n', 'r'] } },
        targets: 'r',
        build: (_ops, inputs) => ({ affinity: inputs[name] as never }),
      });
      const rows = vision.map((_, j) => [j === 3 ? 1 : 0]);
      for (const maximizer of ['lazy', 'device'] as const) {
        const { order } = await selectTokens({
          ...{ backend, vision, maximizer, budget: { tokens: 1 } },
          ...{ coverage: [own()], inputs: { [name]: rows } },
        });
        expect(order).toEqual([3]);
      }
    },
  );

  it('can draw its targets and do without text, as the built-in terms do', async () => {
    const plain = defineCoverage({
      name: 'mine',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'n',
      drawsTargets: true,
      build: (ops, inputs, _, { norms, draw }) => {
        const rows = ops.divide(inputs.vision, ops.maximum(norms.vision, ops.scalar(1e-8)));
        return { affinity: ops.exp(ops.matMul(rows, draw(rows), { transposeB: true })) };
      },
    });
    const asked = defineCoverage({
      name: 'mine',
      inputs: { vision: { dims: ['n', 'D'] }, text: { dims: ['m', 'D'] } },
      targets: 'm',
      withoutText: ({ weight, sample }) => plain({ weight, sample }),
      build: (ops, inputs) => ({
        affinity: ops.exp(ops.matMul(inputs.vision, inputs.text, { transposeB: true })),
      }),
    });
    const many = Array.from({ length: 90 }, (_, j) => [Math.sin(j), Math.cos(j * j), Math.sin(3 * j), 1]);
    const common = { backend, vision: many, budget: { tokens: 5 } };
    const whole = await selectTokens({ ...common, coverage: [plain()] });
    const { notes, gains } = await selectTokens({ ...common, coverage: [asked()] });
    expect(gains).toEqual(whole.gains);
    expect(notes).toEqual([expect.stringContaining("'mine'")]);
    const sampled = await selectTokens({ ...common, coverage: [plain({ sample: { targets: 40 } })] });
    expect(sampled.coverageError.mine).toBeGreaterThan(0);
    expect(Math.abs((sampled.coverage.mine as number) - (whole.coverage.mine as number))).toBeLessThan(0.1);
    refuses(() => asked({ sample: { targets: 40 } }), 'cannot be sampled');
    refuses(() => plain({ sample: { targets: 31 } }), 'at least 32');
  });

  it('can leave the division by sums over candidates to the term, if it is symmetric', async () => {
    const definition = {
      name: 'mine',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'n',
      nonNegative: true,
      drawsTargets: true,
    } as const;
    const calibrated = defineCoverage({
      ...definition,
      calibrated: true,
      build: (ops, inputs, _, { draw }) => ({
        affinity: ops.exp(ops.matMul(inputs.vision, draw(inputs.vision), { transposeB: true })),
      }),
    });
    const byHand = defineCoverage({
      ...definition,
      build: (ops, inputs, _, { draw }) => {
        const affinity = ops.exp(ops.matMul(inputs.vision, draw(inputs.vision), { transposeB: true }));
        const sums = ops.sum(affinity, 0, { keepDims: true });
        return {
          affinity,
          targetWeights: ops.divide(ops.divide(ops.scalar(1), ops.size(affinity, 0)), sums),
        };
      },
    });
    const many = Array.from({ length: 90 }, (_, j) => [Math.sin(j), Math.cos(j * j), Math.sin(3 * j)]);
    const targetWeights = many.map((_, j) => 1 + (j % 3));
    for (const options of [{}, { targetWeights }, { sample: { targets: 40 } }]) {
      const [a, b] = await Promise.all(
        [calibrated, byHand].map((term) =>
          selectTokens({ backend, vision: many, budget: { tokens: 9 }, coverage: [term(options)] }),
        ),
      );
      expect(a?.order).toEqual(b?.order);
      expect(a?.value).toBeCloseTo(b?.value as number, 6);
    }
    const define = (more: object) => () =>
      defineCoverage({ ...definition, ...more, build: () => ({}) as never });
    refuses(define({ calibrated: true, drawsTargets: false }), 'calibrated needs drawsTargets: true');
    refuses(
      define({ calibrated: true, inputs: { ...definition.inputs, text: { dims: ['m', 'D'] } } }),
      "every input has one row per candidate, but 'text' is [m,D]",
    );
  });

  it.each([
    ['negative', -0.5, 'lazy'],
    ['NaN', Number.NaN, 'lazy'],
    ['infinite', Number.POSITIVE_INFINITY, 'lazy'],
    ['negative', -0.5, 'device'],
    ['NaN', Number.NaN, 'device'],
    ['infinite', Number.POSITIVE_INFINITY, 'device'],
  ] as const)(
    'refuses an affinity that is %s somewhere, naming the term (%d, %s)',
    async (_, bad, maximizer) => {
      // Inputs are finite; the term makes the bad number of the mark 7.
      const marked = defineCoverage({
        name: 'marked',
        inputs: { prior: { dims: ['n', 'r'] }, bad: { dims: ['n', 'r'] } },
        targets: 'r',
        build: (ops, inputs) => ({ affinity: ops.divide(inputs.prior, inputs.bad) }),
      });
      const divisor = Number.isFinite(bad) ? -2 : 0;
      const act = selectTokens({
        ...{ backend, vision, coverage: [marked()], budget, maximizer },
        inputs: {
          prior: vision.map((_row, j) => [1, j === 3 ? (Number.isNaN(bad) ? 0 : 1) : 1]),
          bad: vision.map((_row, j) => [1, j === 3 ? divisor : 1]),
        },
      });
      await expect(act).rejects.toThrow(InvalidTensorError);
      await expect(act).rejects.toThrow(/coverage\(marked\)/);
    },
  );

  it('tells where a negative affinity is, and what it is', async () => {
    await expect(
      run([
        [0, 1],
        [1, 0],
        [0, 0],
        [1, -0.25],
        [0, 0],
      ]),
    ).rejects.toThrow(
      "Tensor 'coverage(prior).affinity': row 3, column 1 is -0.25; coverage must be finite and not negative",
    );
  });

  it('refuses negative weights from build', async () => {
    const own = defineCoverage({
      name: 'own',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'D',
      build: (ops, inputs) => ({
        affinity: inputs.vision,
        targetWeights: ops.subtract(ops.scalar(0), ops.max(inputs.vision, 0, { keepDims: true })),
      }),
    });
    await expect(value({ coverage: [own()] })).rejects.toThrow(/coverage\(own\)\.weights.*not negative/);
  });

  it('refuses an affinity of the wrong shape', async () => {
    const turned = defineCoverage({
      name: 'turned',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'D',
      build: (ops, inputs) => ({ affinity: ops.transpose(inputs.vision) }),
    });
    const act = value({ coverage: [turned()] });
    await expect(act).rejects.toThrow(InvalidTensorError);
  });

  it('an input of its own that is not given is missed, by name', async () => {
    const act = selectTokens({ backend, vision, coverage: [prior()], budget });
    await expect(act).rejects.toThrow(InvalidOptionsError);
    await expect(act).rejects.toThrow(/term 'prior' reads 'prior'.*inputs: \{ prior: … \}/);
    await expect(
      selectTokens({ backend, vision, coverage: [prior()], inputs: { prior: [] }, budget }),
    ).rejects.toThrow(InvalidTensorError);
  });

  it('an input may be called sample, as any other', async () => {
    const mine = defineCoverage({
      name: 'mine',
      inputs: { sample: { dims: ['n', 'r'] } },
      targets: 'r',
      build: (_, { sample }) => ({ affinity: sample }),
    });
    const sample = vision.map((_, j) => [j === 1 ? 1 : 0]);
    const { order } = await selectTokens({
      backend,
      vision,
      coverage: [mine()],
      inputs: { sample },
      budget: { tokens: 1 },
    });
    expect(order).toEqual([1]);
  });

  it('a term that covers nothing at all is complete from the start', async () => {
    const nothing: TableCase = {
      candidates: 4,
      a: {
        weight: 1,
        rows: [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      },
      b: { weight: 1, rows: [[0], [0], [1], [0]] },
    };
    const selection = await solve(nothing, { budget: { tokens: 3 } });
    expect(selection.order).toEqual([2, 0, 1]);
    expect(selection.coverage).toEqual({ a: 1, b: 1 });
    expect(selection.gains).toEqual([1, 0, 0]);
  });
});
