// Terms that users define: what a definition may say, what it computes, and what is rejected.

import { describe, expect, it } from 'vitest';
import { budget, rejects, value, vision } from '../../test/five-tokens.js';
import { backend, solve, type TableCase, tableTerm } from '../../test/table-case.js';
import { InvalidOptionsError, InvalidTensorError } from '../errors.js';
import { selectTokens } from '../selection/select-tokens.js';
import { defineCoverage } from './define-coverage.js';
import { saliency, textCoverage, visionCoverage } from './terms.js';

describe('defineCoverage', () => {
  const prior = tableTerm('prior');
  const run = (affinity: readonly (readonly number[])[], coverage = [prior()]) =>
    selectTokens({ backend, vision, coverage, inputs: { prior: affinity }, budget });

  it('adds a term that reads additional inputs, by name', async () => {
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

  it('can be combined with any number of built-in terms', async () => {
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

  it('passes parameters to build, with their defaults', async () => {
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
  ])('its term rejects %s', (_, options, message) => {
    rejects(() => prior(options as Parameters<typeof prior>[0]), message);
  });

  it('names the known parameters', () => {
    const term = defineCoverage({
      name: 'x',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'D',
      parameters: { sharpness: 1, floor: 0 },
      build: (_ops, inputs) => ({ affinity: inputs.vision }),
    });
    rejects(() => term({ parameters: { sharp: 1 } as Record<string, number> }), '(known: sharpness, floor)');
    rejects(() => term({ parameters: { floor: Number.NaN } }), 'parameters.floor');
  });

  it('rejects inputs that nobody could pass', () => {
    const define = (inputs: Parameters<typeof defineCoverage>[0]['inputs']) => () =>
      defineCoverage({
        name: 'odd',
        inputs,
        targets: 'r',
        build: (_ops, { x }) => ({ affinity: x as never }),
      });
    rejects(define({ x: { dims: ['n'] } }), "the input 'x': it has 1 dimensions, but inputs are matrices");
    rejects(define({ x: { dims: ['n', 'r'], dtype: 'int32' } }), "its dtype is 'int32'");
  });

  it('rejects targets that no input counts, and inputs that do not count the candidates', () => {
    const define = (dims: readonly string[], targets: string) =>
      defineCoverage({
        name: 'lost',
        inputs: { prior: { dims } },
        targets,
        build: (_ops, inputs) => ({ affinity: inputs.prior }),
      });
    rejects(
      () => define(['n', 'r'], 'm'),
      "coverage term 'lost': no input has the dimension 'm' (dimensions: n, r)",
    );
    rejects(() => define(['r', 'c'], 'r'), "no input has the dimension 'n'");
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

  it('can draw its targets and replace itself without text, like the built-in terms', async () => {
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
    rejects(() => asked({ sample: { targets: 40 } }), 'cannot be sampled');
    rejects(() => plain({ sample: { targets: 31 } }), 'at least 32');
  });

  it('divides a calibrated term by the sums over candidates', async () => {
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
    rejects(define({ calibrated: true, drawsTargets: false }), 'calibrated requires drawsTargets: true');
    rejects(
      define({ calibrated: true, inputs: { ...definition.inputs, text: { dims: ['m', 'D'] } } }),
      "requires inputs with one row per candidate, but 'text' is [m, D]",
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
    'rejects an affinity that is %s somewhere, naming the term (%d, %s)',
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

  it('reports the position and value of a negative affinity', async () => {
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

  it('rejects negative weights from build', async () => {
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

  it('rejects an affinity of the wrong shape', async () => {
    const turned = defineCoverage({
      name: 'turned',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'D',
      build: (ops, inputs) => ({ affinity: ops.transpose(inputs.vision) }),
    });
    const act = value({ coverage: [turned()] });
    await expect(act).rejects.toThrow(InvalidOptionsError);
    await expect(act).rejects.toThrow(/term 'turned': affinity: expected \[n, targets\] = .*, got/);
  });

  it('names an additional input that is missing', async () => {
    const act = selectTokens({ backend, vision, coverage: [prior()], budget });
    await expect(act).rejects.toThrow(InvalidOptionsError);
    await expect(act).rejects.toThrow(/term 'prior' reads 'prior'.*inputs: \{ prior: … \}/);
    await expect(
      selectTokens({ backend, vision, coverage: [prior()], inputs: { prior: [] }, budget }),
    ).rejects.toThrow(InvalidTensorError);
  });

  it('an input may be called sample', async () => {
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

  it('a term that nothing covers has coverage 1 from the start', async () => {
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
