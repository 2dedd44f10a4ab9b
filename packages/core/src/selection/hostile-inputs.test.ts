// Hostile options, tensors, terms and maximizers: every rejection is a typed error that says what was wrong, and selections contain
// only distinct, eligible tokens.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../backend/backend.js';
import { createReferenceBackend } from '../backend/reference-backend.js';
import { defineCoverage } from '../coverage/define-coverage.js';
import { saliency, textCoverage, visionCoverage } from '../coverage/terms.js';
import { MmtokError } from '../errors.js';
import { keywords } from '../keywords.js';
import { createRandom } from '../search/sampling.js';
import { type Maximizer, stochasticGreedy } from '../search/search.js';
import { checkBudget, parseBudget, type SelectOptions } from './options.js';
import { prepareImage, selectTokens } from './select-tokens.js';
import { prefix } from './selection.js';

const backend = createReferenceBackend();
const [n, d] = [24, 6];
const random = createRandom(4);
const draw = (rows: number) => ({
  data: Float32Array.from({ length: rows * d }, () => random() - 0.5),
  dims: [rows, d],
});
const vision = draw(n);
const text = draw(3);
const base: SelectOptions = { backend, vision, text, budget: { tokens: 4 } };

const circular: Record<string, unknown> = { tokens: 1 };
circular.self = circular;
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const throwing = Object.defineProperty({}, 'tokens', {
  enumerable: true,
  get() {
    throw new Error('no');
  },
});
const detached = (): object => {
  const data = new Float32Array(n * d).fill(1);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return { data, dims: [n, d] };
};
const strange: readonly (readonly [string, () => unknown])[] = [
  ['a circular object', () => circular],
  ['a symbol', () => Symbol('x')],
  ['a revoked proxy', revoked],
  ['a getter that throws', () => throwing],
  ['a bigint', () => 10n],
  ['a function', () => () => 1],
  ['null', () => null],
  ['an object without a prototype', () => Object.create(null)],
  ['an object with a toJSON that throws', () => ({ toJSON: () => throwing })],
  ['a term with nothing behind it', () => [{ kind: 'coverage', name: 'x' }]],
  ['a term with a hollow program', () => [{ ...visionCoverage(), programs: { whole: { flat: {} } } }]],
  ['a list of revoked proxies', () => [revoked()]],
  ['a detached buffer', detached],
  [
    'dims that throw',
    () => ({ data: new Float32Array(4), dims: [{ valueOf: () => throwing }, Symbol('d')] }),
  ],
];

/** The error code of something that may throw or reject. */
async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return 'fine';
  } catch (error) {
    return MmtokError.isInstance(error) ? error.code : `RAW ${String((error as Error).stack)}`;
  }
}

describe.each(strange)('%s', (_, make) => {
  it.each([
    'vision',
    'visionFeatures',
    'text',
    'budget',
    'coverage',
    'inputs',
    'constraints',
    'maximizer',
    'maxMatrixBytes',
    'backend',
  ])('as the option %s is rejected by a typed error, if at all', async (option) => {
    expect(await codeOf(() => selectTokens({ ...base, [option]: make() }))).not.toMatch(/^RAW/);
    const image = () => prepareImage({ backend, vision, [option]: make() });
    expect(await codeOf(image)).not.toMatch(/^RAW/);
    const select = () =>
      prepareImage({ backend, vision }).select({ text, budget: { tokens: 3 }, [option]: make() });
    expect(await codeOf(select)).not.toMatch(/^RAW/);
  });

  it('given to any entry is rejected by a typed error, if at all', async () => {
    const entries: ((value: never) => unknown)[] = [
      selectTokens,
      prepareImage,
      prepareImage({ backend, vision }).select.bind(prepareImage({ backend, vision })),
      textCoverage,
      visionCoverage,
      saliency,
      defineCoverage,
      defineCoverage({
        name: 'x',
        inputs: { vision: { dims: ['n', 'D'] } },
        targets: 'n',
        build: (_ops, inputs) => ({ affinity: inputs.vision }),
      }),
      stochasticGreedy,
      keywords,
      (value) => keywords('is it red?', value),
      checkBudget,
      parseBudget,
    ];
    const selection = await selectTokens(base);
    entries.push((k) => prefix(selection, k));
    for (const entry of entries) expect(await codeOf(() => entry(make() as never))).not.toMatch(/^RAW/);
  });
});

it('a buffer detached after it was prepared is rejected by a typed error', async () => {
  const data = vision.data.slice();
  const image = prepareImage({ backend, vision: { data, dims: [n, d] } });
  structuredClone(data.buffer, { transfer: [data.buffer] });
  expect(await codeOf(() => image.select({ text, budget: { tokens: 3 } }))).toBe('MMTOK_INVALID_TENSOR');
});

it.each([
  [
    'throws',
    () => {
      throw new TypeError('mine');
    },
  ],
  ['returns a number', () => ({ affinity: 3 })],
])('a term whose build %s fails with a typed error', async (_, build) => {
  const broken = defineCoverage({
    name: 'broken',
    inputs: { vision: { dims: ['n', 'D'] } },
    targets: 'n',
    build: build as never,
  });
  for (const maximizer of ['lazy', 'device'] as const) {
    const code = await codeOf(() => selectTokens({ ...base, coverage: [broken()], maximizer }));
    expect(code).toBe('MMTOK_BACKEND_RUN');
  }
});

describe('a maximizer', () => {
  const bounds = (): Float64Array => new Float64Array(n);
  const maximizer = (maximize: Maximizer['maximize']): Maximizer => ({ name: 'mine', maximize });
  const picking = (...picks: readonly number[]): Maximizer =>
    maximizer((_, { pick }) => {
      for (const j of picks) pick(j);
      return bounds();
    });

  it.each<readonly [string, Maximizer]>([
    ['picks one twice', picking(1, 2, 1, 3)],
    ['picks an excluded one', picking(0, 1, 2, 3)],
    ['picks what is not there', picking(1, 2, 3, n)],
    ['picks half a token', picking(1.5, 2, 3, 4)],
    ['picks a string', picking('1' as never, 2, 3, 4)],
    ['picks too few', picking(1, 2)],
    ['picks too many', picking(1, 2, 3, 4, 5)],
    ['returns no bounds', maximizer(() => undefined as never)],
    ['returns a promise', maximizer((async () => bounds()) as never)],
    [
      'returns too few bounds',
      maximizer((_, { pick }) => new Float64Array([1, 2, 3, 4].map(pick).length - 2)),
    ],
    [
      'throws',
      maximizer(() => {
        throw new Error('no');
      }),
    ],
  ])('that %s is rejected', async (_, mine) => {
    const act = () => selectTokens({ ...base, maximizer: mine, constraints: { exclude: [0] } });
    expect(await codeOf(act)).toBe('MMTOK_INVALID_SELECTION');
  });

  it('that follows the rules is accepted, and may stop at a target', async () => {
    const { order } = await selectTokens({ ...base, maximizer: picking(7, 5, 3, 1) });
    expect(order).toEqual([7, 5, 3, 1]);
    const stopped = await selectTokens({
      ...base,
      budget: { coverage: 0.01 },
      maximizer: maximizer((_, { pick, target = 0 }) => {
        for (let j = 0; pick(j) < target; j++);
        return bounds();
      }),
    });
    expect(stopped.reason).toBe('coverageReached');
  });

  it('that breaks the rules of groups is rejected', async () => {
    const constraints = { groups: [{ members: [1, 2, 3, 4], max: 2 }] };
    const act = () => selectTokens({ ...base, maximizer: picking(1, 2, 3, 4), constraints });
    expect(await codeOf(act)).toBe('MMTOK_INVALID_SELECTION');
  });

  it('on a device that returns invalid picks is rejected', async () => {
    for (const picks of [
      [1, 1, 2, 3],
      [0, 1, 2, 3],
      [1, 2, 3, n],
    ]) {
      const lying: Backend = {
        ...backend,
        run: async (program, inputs, options) => {
          const outputs = await backend.run(program, inputs, options);
          return { ...outputs, order: { type: 'int32', data: Int32Array.from(picks), dims: [4] } };
        },
      };
      const act = () =>
        selectTokens({ ...base, backend: lying, maximizer: 'device', constraints: { exclude: [0] } });
      expect(await codeOf(act)).toBe('MMTOK_INVALID_SELECTION');
    }
  });
});

it.each([
  ['nothing', () => undefined],
  ['no affinity', () => ({})],
])('a term whose build returns %s is rejected by name', async (what, build) => {
  const term = defineCoverage({
    name: 'mine',
    inputs: { vision: { dims: ['n', 'D'] } },
    targets: 'n',
    build: build as never,
  });
  for (const maximizer of ['lazy', 'device'] as const) {
    await expect(selectTokens({ ...base, coverage: [term()], maximizer })).rejects.toMatchObject({
      code: 'MMTOK_INVALID_OPTIONS',
      problem: expect.stringContaining(what),
    });
  }
});

describe('numbers beyond float32', () => {
  const bonus = (value: number) => ({ saliency: { data: new Float32Array(n).fill(value), dims: [n, 1] } });

  it.each([3.5e38, 1e300, 1.7e308, Number.POSITIVE_INFINITY])('a weight of %d is rejected', (weight) => {
    expect(() => textCoverage({ weight })).toThrow('weight');
    expect(() => visionCoverage({ weight })).toThrow('weight');
    expect(() => saliency({ weight })).toThrow('weight');
    expect(() => textCoverage({ targetWeights: [weight, 1, 1] })).toThrow('targetWeights.0');
  });

  it.each([
    [1e30, 1e10],
    [2e38, 1],
    [1e10, 1e30],
  ])(
    'a bonus of %d at weight %d is rejected on the device by name, and taken on the host',
    async (value, weight) => {
      const coverage = [visionCoverage(), saliency({ weight })];
      const options = { ...base, coverage, inputs: bonus(value), constraints: { exclude: [0] } };
      await expect(selectTokens({ ...options, maximizer: 'device' })).rejects.toThrow(/'saliency'.*float32/);
      const { order } = await selectTokens(options);
      expect(new Set(order).size).toBe(4);
      expect(order).not.toContain(0);
    },
  );

  it('a weight that float32 rounds to 0 is rejected on the device, by name', async () => {
    const coverage = [textCoverage({ weight: 1e-46 })];
    await expect(selectTokens({ ...base, coverage, maximizer: 'device' })).rejects.toThrow(/'text'.*float32/);
  });

  it.each([1e-46, 1e-12, 1e-7, 9e-5, 1e7, 1e39])('a temperature of %d is rejected', (temperature) => {
    expect(() => textCoverage({ temperature })).toThrow('temperature');
    expect(() => visionCoverage({ temperature })).toThrow('temperature');
  });

  it('a parameter that float32 cannot hold is rejected', () => {
    const own = defineCoverage({
      name: 'own',
      inputs: { vision: { dims: ['n', 'D'] } },
      targets: 'n',
      parameters: { slope: 1 },
      build: (_ops, inputs) => ({ affinity: inputs.vision }),
    });
    expect(() => own({ parameters: { slope: 1e39 } })).toThrow('slope');
  });
});

describe('rows', () => {
  const scaled = (tensor: typeof vision, scale: number) => ({
    data: tensor.data.map((value) => value * scale),
    dims: tensor.dims,
  });

  it('of any usable length select alike, and shorter ones are rejected', async () => {
    const { order } = await selectTokens(base);
    for (const scale of [1e-6, 1e-3, 1e6, 1e15]) {
      expect((await selectTokens({ ...base, vision: scaled(vision, scale) })).order).toEqual(order);
    }
    for (const scale of [1e-9, 1e-12, 1e-25, 1e-40]) {
      const act = { ...base, vision: scaled(vision, scale) };
      await expect(selectTokens(act)).rejects.toThrow(/'vision'.*shorter than/);
      await expect(selectTokens({ ...base, text: scaled(text, scale) })).rejects.toThrow(/'text'.*shorter/);
    }
  });

  it.each([
    ['zero', 0],
    ['equal', 0.5],
  ])('that are all %s are selected by position, and a note says so', async (word, value) => {
    const flat = { data: new Float32Array(n * d).fill(value), dims: [n, d] };
    const { order, notes } = await selectTokens({ ...base, vision: flat });
    expect(order).toEqual([0, 1, 2, 3]);
    expect(notes.join()).toMatch(new RegExp(`all ${n} rows of 'vision' are ${word}`));
    const features = await selectTokens({ ...base, visionFeatures: flat });
    expect(features.notes.join()).toContain("of 'visionFeatures' are");
    const alone = await selectTokens({ ...base, vision: flat, text: undefined });
    expect(alone.notes.join()).toMatch(new RegExp(`all ${n} rows of 'vision' are ${word}`));
    expect((await selectTokens(base)).notes).toEqual([]);
  });

  it('that are equal are picked from the lowest index on, even if the engine rounds differently by position', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 2, max: 10 }), async (seed, kinds) => {
        const next = createRandom(seed);
        const kindOf = Array.from({ length: 40 }, () => Math.floor(next() * kinds));
        const rows = Array.from({ length: kinds }, () => Array.from({ length: d }, () => next() - 0.5));
        const uneven: Backend = {
          ...backend,
          precision: 1e-5,
          run: async (program, inputs, options) => {
            const outputs = await backend.run(program, inputs, options);
            for (const output of Object.values<{ data: { [at: number]: number; length: number } }>(outputs)) {
              for (let i = 0; i < output.data.length; i++) {
                output.data[i] = (output.data[i] as number) * (1 + 1e-6 * next());
              }
            }
            return outputs;
          },
        };
        const { order } = await selectTokens({
          backend: uneven,
          vision: kindOf.map((kind) => rows[kind] as number[]),
          text: rows.slice(0, 2),
          budget: { tokens: 12 },
        });
        const met = new Map<number, number>();
        for (const j of order) {
          const kind = kindOf[j] as number;
          const before = met.get(kind) ?? -1;
          expect(kindOf.indexOf(kind, before + 1)).toBe(j);
          met.set(kind, j);
        }
      }),
      { numRuns: 60 },
    );
  });
});
