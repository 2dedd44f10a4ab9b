// The selections that every backend must make: those of the official implementation, and those of the reference backend.

import { describe, expect } from 'vitest';
import type { Backend, TensorOps } from '../backend/backend.js';
import { float32, type HostTensor } from '../backend/tensor.js';
import { defineCoverage } from '../coverage/define-coverage.js';
import { textCoverage, visionCoverage } from '../coverage/terms.js';
import { createRandom } from '../search/sampling.js';
import { prepareImage, selectTokens } from '../selection/select-tokens.js';
import { officialSelections } from './official-selections.js';
import { officialInputs } from './synthetic-features.js';

/** A custom term: candidates near the middle of the sequence count more. */
const customTerm = defineCoverage({
  name: 'custom',
  inputs: { vision: { dims: ['n', 'D'] }, regions: { dims: ['n', 'r'] } },
  targets: 'r',
  parameters: { sharpness: 2 },
  build: (ops, { vision, regions }, { sharpness }) => {
    const norms = ops.sum(ops.multiply(vision, vision), 1, { keepDims: true });
    const scaled = ops.exp(ops.multiply(sharpness, ops.divide(norms, ops.max(norms, 0, { keepDims: true }))));
    return { affinity: ops.multiply(scaled, regions) };
  },
});

/** Definitions whose shapes do not fit: `vision` is `[6, 4]`, `regions` `[5, 3]`, and the affinity should be `[6, 5]`. */
const wrongTerms: readonly (readonly [
  problem: string,
  build: <T>(ops: TensorOps<T>, vision: T, regions: T) => { readonly affinity: T; readonly peak?: T },
  message: string,
])[] = [
  [
    'factors that do not fit',
    (ops, vision, regions) => ({ affinity: ops.matMul(vision, regions, { transposeB: true }) }),
    'matMul: cannot multiply [6, 4] and [5, 3] transposed: rows of length 4, columns of length 3',
  ],
  [
    'shapes that do not broadcast',
    (ops, vision, regions) => ({ affinity: ops.add(vision, regions) }),
    'add: shapes [6, 4] and [5, 3] do not broadcast',
  ],
  [
    'an axis that is out of range',
    (ops, vision) => ({ affinity: ops.sum(vision, 2) }),
    'sum: axis 2 is out of range for shape [6, 4]',
  ],
  [
    'parts that cannot be joined',
    (ops, vision, regions) => ({ affinity: ops.concat([vision, regions], 0) }),
    'concat: shapes [6, 4] and [5, 3] do not match along axis 0',
  ],
  [
    'an affinity of the wrong shape',
    (_ops, vision) => ({ affinity: vision }),
    'affinity: expected [n, targets] = [6, 5], got [6, 4]',
  ],
  [
    'a peak of the wrong shape',
    (ops, vision, regions) => {
      const affinity = ops.matMul(ops.rowNorms(vision), ops.rowNorms(regions), { transposeB: true });
      return { affinity, peak: ops.max(vision, 0) };
    },
    'peak: expected [1, targets] = [1, 5], got [4]',
  ],
];

/** The parts of the suite that the checks of selections use. */
export interface SelectionChecks {
  /** Declares a check. */
  check(name: string, body: () => Promise<void>): void;
  readonly reference: Backend;
  /** Operations that the backend lacks; checks that need them are skipped. */
  readonly unsupportedOps: readonly (keyof TensorOps<unknown>)[];
  /** The backend under test; available inside checks. */
  backend(): Backend;
}

/** Declares the checks of selections. */
export function describeSelections({ check, reference, unsupportedOps, backend }: SelectionChecks): void {
  describe('selections', () => {
    officialSelections.forEach((official, i) => {
      const { height, width, budget, alpha, textTokens } = official;
      check(
        `official selection ${i}: ${height}×${width}, ${textTokens} text tokens, keep ${budget}`,
        async () => {
          const selection = await selectTokens({
            backend: backend(),
            ...officialInputs(official),
            coverage: [
              textCoverage({ temperature: official.textTemperature }),
              visionCoverage({ temperature: official.visionTemperature, weight: alpha }),
            ],
            budget: { tokens: budget },
            constraints: { exclude: Array.from({ length: official.excludedFirst }, (_, j) => j) },
          });
          expect(selection.indices).toEqual(official.officialIndices);
          expect(selection.order).toEqual(official.float64Order);
          expect(selection.value).toBeCloseTo(official.float64Coverage[2], 4);
        },
      );
    });
    if (!unsupportedOps.includes('loop')) {
      check('greedy on the device picks what lazy greedy picks', async () => {
        for (const official of officialSelections.filter(
          (each) => each.smallestRelativeGap > 1e-4 && each.height <= 16,
        )) {
          const selection = await selectTokens({
            backend: backend(),
            ...officialInputs(official),
            coverage: [
              textCoverage({ temperature: official.textTemperature }),
              visionCoverage({ temperature: official.visionTemperature, weight: official.alpha }),
            ],
            budget: { tokens: official.budget },
            constraints: { exclude: Array.from({ length: official.excludedFirst }, (_, j) => j) },
            maximizer: 'device',
          });
          expect(selection.order).toEqual(official.float64Order);
        }
      });
    }
    check('a second question gets bitwise the same answer as a first one', async () => {
      const official = officialSelections[2] as (typeof officialSelections)[number];
      const { text, ...inputs } = officialInputs(official);
      const budget = { tokens: official.budget };
      const image = prepareImage({ backend: backend(), ...inputs });
      await image.select({ text, budget });
      const second = await image.select({ text, budget });
      const first = await selectTokens({ backend: backend(), ...inputs, text, budget });
      expect([second.order, second.gains]).toEqual([first.order, first.gains]);
      image.dispose();
    });
    const searches = unsupportedOps.includes('loop') ? (['lazy'] as const) : (['lazy', 'device'] as const);
    for (const maximizer of searches) {
      check(`inputs of a user's own term may have any names (${maximizer})`, async () => {
        const names = [
          'affinity',
          'weights',
          'peak',
          'firstGains',
          't0',
          'c0',
          'order',
          'count',
          'bonus',
          'blocked',
        ];
        const own = defineCoverage({
          name: 'own',
          inputs: Object.fromEntries(names.map((name) => [name, { dims: ['n', 'r'] }])),
          targets: 'r',
          build: (ops, inputs) => ({
            affinity: names
              .map((name) => inputs[name])
              .reduce((a, b) => ops.add(a as never, b as never)) as never,
          }),
        });
        const rng = createRandom(3);
        const matrix = (): HostTensor => float32(Float32Array.from({ length: 24 }, rng), [6, 4]);
        const options = {
          vision: matrix(),
          coverage: [own()],
          inputs: Object.fromEntries(names.map((name) => [name, matrix()])),
          budget: { tokens: 3 },
          maximizer,
        };
        const wanted = await selectTokens({ ...options, backend: reference });
        expect((await selectTokens({ ...options, backend: backend() })).order).toEqual(wanted.order);
      });
    }
    for (const maximizer of searches) {
      for (const [problem, build, message] of wrongTerms) {
        check(`a user's own term with ${problem} gives a usage error (${maximizer})`, async () => {
          const own = defineCoverage({
            name: 'own',
            inputs: { vision: { dims: ['n', 'D'] }, regions: { dims: ['r', 'd'] } },
            targets: 'r',
            build: (ops, { vision, regions }) => build(ops, vision, regions) as never,
          });
          const act = selectTokens({
            backend: backend(),
            vision: float32(new Float32Array(24).fill(1), [6, 4]),
            inputs: { regions: float32(new Float32Array(15).fill(1), [5, 3]) },
            coverage: [own()],
            budget: { tokens: 2 },
            maximizer,
          });
          await expect(act).rejects.toMatchObject({ code: 'MMTOK_INVALID_OPTIONS', kind: 'usage' });
          await expect(act).rejects.toThrow(`Invalid coverage term 'own': ${message}`);
        });
      }
    }
    check(
      'the lowest index is picked first among equal vision tokens, wherever they are in a product',
      async () => {
        for (const [n, d] of [
          [256, 1152],
          [577, 33],
        ] as const) {
          const random = createRandom(n);
          const kinds = 100;
          const kindOf = Array.from({ length: n }, () => Math.floor(random() * kinds));
          const rows = Array.from({ length: kinds * d }, () => random() - 0.5);
          const row = (j: number): number[] =>
            rows.slice((kindOf[j] as number) * d, ((kindOf[j] as number) + 1) * d);
          const vision = float32(Float32Array.from(kindOf.flatMap((_, j) => row(j))), [n, d]);
          const text = float32(
            Float32Array.from({ length: 3 * d }, () => random() - 0.5),
            [3, d],
          );
          const { order } = await selectTokens({ backend: backend(), vision, text, budget: { tokens: 60 } });
          const met = new Map<number, number>();
          for (const j of order) {
            const kind = kindOf[j] as number;
            expect(j).toBe(kindOf.indexOf(kind, (met.get(kind) ?? -1) + 1));
            met.set(kind, j);
          }
        }
      },
    );
    check('tensors may be in memory that threads share', async () => {
      const shared = (dims: readonly [number, number], seed: number): HostTensor => {
        const data = new Float32Array(new SharedArrayBuffer(4 * dims[0] * dims[1]));
        return float32(data.map(createRandom(seed)), dims);
      };
      const inputs = { vision: shared([20, 8], 1), text: shared([3, 8], 2), budget: { tokens: 4 } };
      const wanted = await selectTokens({ ...inputs, backend: reference });
      expect((await selectTokens({ ...inputs, backend: backend() })).order).toEqual(wanted.order);
    });
    check("a user's own term selects as on the reference", async () => {
      const official = officialSelections[2] as (typeof officialSelections)[number];
      const inputs = officialInputs(official);
      const rng = createRandom(5);
      const n = inputs.vision.dims[0] as number;
      const regions = float32(Float32Array.from({ length: n * 7 }, rng), [n, 7]);
      const options = {
        ...inputs,
        coverage: [
          textCoverage({ peakedness: 4 }),
          customTerm({ weight: 3, parameters: { sharpness: 1.5 } }),
        ],
        inputs: { regions },
        budget: { tokens: 12 },
      };
      const selection = await selectTokens({ ...options, backend: backend() });
      const wanted = await selectTokens({ ...options, backend: reference });
      expect(selection.order).toEqual(wanted.order);
      expect(selection.coverage.custom).toBeCloseTo(wanted.coverage.custom as number, 4);
    });
    check('vision coverage with a focus selects as on the reference', async () => {
      const official = officialSelections[2] as (typeof officialSelections)[number];
      const inputs = officialInputs(official);
      const [, width] = inputs.vision.dims as [number, number];
      // Rows of the image itself, which an automatic focus counts as evidence.
      const shown = float32(Float32Array.from(inputs.vision.data.slice(0, 2 * width)), [2, width]);
      const focused = [
        { focus: 4 },
        { focus: 4, sample: { targets: 40, seed: 3 } },
        { focus: 'auto' },
      ] as const;
      for (const focus of focused) {
        const options = {
          ...inputs,
          ...(focus.focus === 'auto' && { text: shown }),
          coverage: [visionCoverage(focus)],
          budget: { tokens: 12 },
        };
        const selection = await selectTokens({ ...options, backend: backend() });
        const wanted = await selectTokens({ ...options, backend: reference });
        expect(selection.order).toEqual(wanted.order);
        expect(selection.value).toBeCloseTo(wanted.value, 4);
      }
    });
  });
}
