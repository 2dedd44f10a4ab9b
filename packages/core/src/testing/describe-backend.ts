// The conformance suite: what every backend must do, for our backends and third-party ones.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Backend,
  defineProgram,
  type Program,
  type TensorOps,
  type TensorSpecs,
} from '../backend/backend.js';
import { createReferenceBackend } from '../backend/reference-backend.js';
import { elementCount, float32, type HostTensor } from '../backend/tensor.js';
import { createRandom } from '../search/sampling.js';
import { normalizeRows } from '../similarity.js';
import { describeSelections } from './describe-selections.js';
import { opCases } from './op-cases.js';

/** A backend to test. */
export interface BackendUnderTest {
  /** Title of the suite. */
  readonly name: string;
  /** Creates a backend. */
  create(): Backend | Promise<Backend>;
  /** Operations the backend states it lacks; each must throw UnsupportedOpError. @default none */
  readonly unsupportedOps?: readonly (keyof TensorOps<unknown>)[];
  /**
   * Checks that are known to fail: reasons by the checks' names in the test output. They run and must fail, so that a fix is noticed.
   */
  readonly expectedFailures?: Readonly<Record<string, string>>;
  /** Number of live tensors or bytes, which must not grow over many runs. Omit if the engine cannot report it. */
  liveTensors?(backend: Backend): number;
  /** Skips all checks with this reason, e.g. because the engine is not installed. */
  readonly skip?: string | false;
}

/** Random inputs for a program with the given dimension lengths. */
function randomInputs(
  program: Program,
  lengths: Readonly<Record<string, number>>,
  seed: number,
  positive: boolean,
): Record<string, HostTensor> {
  const rng = createRandom(seed);
  return Object.fromEntries(
    Object.entries(program.inputs).map(([name, spec]) => {
      const dims = spec.dims.map((dim) => lengths[dim] as number);
      const draw = (): number => (positive ? 1 - rng() * 0.95 : rng() * 4 - 2);
      return [name, float32(Float32Array.from({ length: elementCount(dims) }, draw), dims)];
    }),
  );
}

/** Fails unless the outputs agree in shape, type, and value, the latter up to `precision` of the largest value. */
function expectClose(
  actual: Readonly<Record<string, HostTensor>>,
  expected: Readonly<Record<string, HostTensor>>,
  precision: number,
): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, want] of Object.entries(expected)) {
    const got = actual[name] as HostTensor;
    expect([got.type, ...got.dims], `shape of ${name}`).toEqual([want.type, ...want.dims]);
    const finite = Array.from(want.data, Math.abs).filter(Number.isFinite);
    const tolerance = precision * finite.reduce((max, value) => Math.max(max, value), 1);
    const wrong = want.data.findIndex((value, i) => {
      const other = got.data[i] as number;
      if (!Number.isFinite(value)) return !Object.is(value, other);
      return !(Math.abs(other - value) <= tolerance);
    });
    expect(wrong < 0 ? 'equal' : `${name}[${wrong}] = ${got.data[wrong]}, expected ${want.data[wrong]}`).toBe(
      'equal',
    );
  }
}

const matrix = { dims: ['n', 'd'] } as const;

/** A program of one operation on one matrix. */
function unary(name: string, build: <T>(ops: TensorOps<T>, x: T) => T): Program {
  return defineProgram({
    name,
    inputs: { x: matrix },
    outputs: { out: { dims: [] } },
    build: <T>(ops: TensorOps<T>, { x }: Readonly<Record<string, T>>) => ({ out: build(ops, x as T) }),
  });
}

const x = (...rows: readonly (readonly number[])[]): Record<string, HostTensor> => ({
  x: float32(Float32Array.from(rows.flat()), [rows.length, rows[0]?.length ?? 0]),
});

/** Greedy facility location in a loop: carries a state, reads an outer tensor, emits indices and numbers. */
const loopProgram = defineProgram({
  name: 'loop',
  inputs: { x: matrix, count: { dims: [], dtype: 'int32' } },
  outputs: { best: { dims: ['d'] }, order: { dims: ['k'], dtype: 'int32' }, gains: { dims: ['k'] } },
  build: (ops, inputs) => {
    const table = inputs.x;
    const zeros = ops.multiply(ops.max(table, 0), ops.scalar(0));
    const { state, emitted } = ops.loop(inputs.count, { best: zeros }, ({ best }) => {
      const gains = ops.sum(ops.maximum(ops.subtract(table, best), ops.scalar(0)), 1);
      const pick = ops.argMax(gains, 0);
      return {
        state: { best: ops.maximum(best, ops.gather(table, pick, 0)) },
        emit: { order: pick, gains: ops.gather(gains, pick, 0) },
      };
    });
    return { best: state.best, order: emitted.order, gains: emitted.gains };
  },
});

/**
 * Declares the conformance tests of a backend (needs vitest).
 *
 * @example
 * describeBackend({ name: 'ort-cpu', create: () => createOrtBackend() });
 */
export function describeBackend(suite: BackendUnderTest): void {
  const { expectedFailures = {}, unsupportedOps = [] } = suite;
  const title = suite.skip ? `${suite.name} (skipped: ${suite.skip})` : suite.name;
  const check = (name: string, body: () => Promise<void>): void => {
    const reason = expectedFailures[name];
    if (reason === undefined) it(name, body);
    else it.fails(`${name} (expected to fail: ${reason})`, body);
  };

  describe.skipIf(Boolean(suite.skip))(`backend ${title}`, () => {
    const reference = createReferenceBackend();
    let backend: Backend;
    beforeAll(async () => {
      backend = await suite.create();
    });
    afterAll(async () => {
      await backend?.dispose();
    });

    check('states its name, device and precision', async () => {
      expect(backend.name).toMatch(/\S/);
      expect(backend.device).toMatch(/\S/);
      expect(backend.precision).toBeGreaterThan(0);
      expect(backend.precision).toBeLessThanOrEqual(1e-2);
    });

    describe('operations equal the reference', () => {
      for (const { op, aspect, program, sizes, positive = false } of opCases) {
        const name = `${op} ${aspect}`.trim();
        if (unsupportedOps.includes(op)) {
          check(`${name} throws UnsupportedOpError`, async () => {
            const inputs = randomInputs(program, sizes[0] as Record<string, number>, 1, positive);
            await expect(backend.run(program, inputs)).rejects.toMatchObject({
              code: 'MMTOK_UNSUPPORTED_OP',
            });
          });
          continue;
        }
        check(name, async () => {
          for (const [seed, lengths] of sizes.entries()) {
            const inputs = randomInputs(program, lengths, seed, positive);
            const expected = await reference.run(program, inputs);
            expectClose(await backend.run(program, inputs), expected, backend.precision);
          }
        });
      }

      if (!unsupportedOps.includes('loop')) {
        for (const count of [0, 1, 5]) {
          check(`loop of ${count} steps with an index in its state`, async () => {
            const following = defineProgram({
              name: 'following',
              inputs: { x: { dims: ['n', 'n'] }, count: { dims: [], dtype: 'int32' } },
              outputs: { last: { dims: [], dtype: 'int32' } },
              build: (ops, { x, count: times }) => {
                const start = ops.argMax(ops.sum(x, 1), 0);
                const { state } = ops.loop(times, { at: start }, ({ at }) => ({
                  state: { at: ops.argMax(ops.gather(x, at, 0), 0) },
                  emit: {},
                }));
                return { last: state.at };
              },
            });
            const { x } = randomInputs(loopProgram, { n: 7, d: 7 }, 4, true);
            const inputs = {
              x: x as HostTensor,
              count: { type: 'int32', data: Int32Array.of(count), dims: [] },
            } as const;
            expect(await backend.run(following, inputs)).toEqual(await reference.run(following, inputs));
          });
          check(`loop of ${count} steps`, async () => {
            const { x: table } = randomInputs(loopProgram, { n: 9, d: 6 }, 3, true);
            const inputs = {
              x: table as HostTensor,
              count: { type: 'int32', data: Int32Array.of(count), dims: [] } as HostTensor,
            };
            const expected = await reference.run(loopProgram, inputs);
            expectClose(await backend.run(loopProgram, inputs), expected, backend.precision);
          });
        }
      }
    });

    describe('special numbers', () => {
      const NAN = Number.NaN;
      const INF = Number.POSITIVE_INFINITY;
      const run = async (program: Program, inputs: Record<string, HostTensor>): Promise<number[]> =>
        Array.from((await backend.run(program, inputs)).out?.data ?? []);

      check('exp of a large number is infinite, of a very negative one 0', async () => {
        const program = unary('exp', (ops, each) => ops.exp(each));
        expect(await run(program, x([1000, -1000, INF, -INF]))).toEqual([INF, 0, INF, 0]);
      });
      check('NaN and infinity pass through arithmetic', async () => {
        const program = unary('plus', (ops, each) => ops.add(each, ops.scalar(1)));
        expect(await run(program, x([NAN, INF, -INF]))).toEqual([NAN, INF, -INF]);
      });
      check('maximum with NaN is NaN', async () => {
        const program = unary('maximum', (ops, each) => ops.maximum(each, ops.scalar(0)));
        expect(await run(program, x([NAN, -1, 2]))).toEqual([NAN, 0, 2]);
      });
      check('a NaN row does not affect others, which normalize as usual', async () => {
        const program = unary('normalizeRows', (ops, each) => normalizeRows(ops, each));
        const values = await run(program, x([NAN, 1], [3, 4]));
        expect(values[0]).toBeNaN();
        expect(values[2]).toBeCloseTo(0.6, 5);
      });
      check('log of 0 is minus infinity', async () => {
        const program = unary('log', (ops, each) => ops.log(each));
        expect(await run(program, x([0, 1]))).toEqual([-INF, 0]);
      });
    });

    describe('inputs and outputs', () => {
      const gram = defineProgram({
        name: 'gram',
        inputs: { a: { dims: ['n', 'd'] }, b: { dims: ['m', 'd'] } },
        outputs: { out: { dims: ['n', 'm'] } },
        build: (ops, { a, b }) => ({ out: ops.matMul(normalizeRows(ops, a), b, { transposeB: true }) }),
      });
      const a = float32(Float32Array.of(3, 4, 0, 0, 1, 0), [3, 2]);
      const b = float32(Float32Array.of(1, 1, 2, 0), [2, 2]);
      const expected = [1.4, 1.2, 0, 0, 1, 2];

      check('half-precision inputs are widened before any computation', async () => {
        // 2⁻²⁴, the smallest half: its square is 0 in half precision, so rows that are not widened would be zeros.
        const tiny: HostTensor = {
          type: 'float16',
          data: Uint16Array.of(1, 0, 0x4200, 0x4400),
          dims: [2, 2],
        };
        const { out } = await backend.run(gram, { a: tiny, b });
        expectClose({ out }, { out: float32(Float32Array.of(1, 2, 1.4, 1.2), [2, 2]) }, backend.precision);
      });
      check('writes outputs into given memory', async () => {
        const memory = new Float32Array(6);
        const { out } = await backend.run(gram, { a, b }, { into: { out: memory } });
        expect(out.data).toBe(memory);
        expectClose({ out }, { out: float32(Float32Array.from(expected), [3, 2]) }, backend.precision);
      });
      check('an input may be an output', async () => {
        const program = unary('identity', (_, each) => each);
        expectClose(
          await backend.run(program, x([1, 2])),
          { out: float32(Float32Array.of(1, 2), [1, 2]) },
          0,
        );
      });
      check('concurrent runs do not affect each other', async () => {
        const runs = Array.from({ length: 8 }, (_, i) => {
          const scaled = float32(
            b.data.map((value) => value * i),
            [2, 2],
          );
          return backend.run(gram, { a, b: scaled });
        });
        for (const [i, { out }] of (await Promise.all(runs)).entries()) {
          const want = float32(
            Float32Array.from(expected, (value) => value * i),
            [3, 2],
          );
          expectClose({ out }, { out: want }, backend.precision * 10);
        }
      });
      check('does not change its inputs', async () => {
        const before = a.data.slice();
        await backend.run(gram, { a, b });
        expect(a.data).toEqual(before);
      });
      for (const [problem, inputs] of [
        ['a missing input', { a }],
        ['a wrong rank', { a, b: float32(b.data, [4]) }],
        ['a wrong element type', { a, b: { type: 'int32', data: new Int32Array(4), dims: [2, 2] } }],
        ['lengths that disagree', { a, b: float32(b.data, [4, 1]) }],
      ] as const) {
        check(`rejects ${problem}`, async () => {
          const run = backend.run(gram, inputs as Record<'a' | 'b', HostTensor>);
          await expect(run).rejects.toMatchObject({ code: 'MMTOK_INVALID_TENSOR' });
        });
      }
      if (suite.liveTensors !== undefined) {
        const live = suite.liveTensors;
        check('leaks no memory', async () => {
          await backend.run(gram, { a, b });
          const before = live(backend);
          for (let i = 0; i < 100; i++) await backend.run(gram, { a, b });
          expect(live(backend)).toBe(before);
        });
      }
    });

    describeSelections({ check, reference, unsupportedOps, backend: () => backend });

    describe('lifetime', () => {
      check('refuses to run after dispose, which may be called twice', async () => {
        const mine = await suite.create();
        const program: Program<TensorSpecs, TensorSpecs> = unary('identity', (_, each) => each);
        await mine.run(program, x([1]));
        await mine.dispose();
        await mine.dispose();
        await expect(mine.run(program, x([1]))).rejects.toMatchObject({ code: 'MMTOK_DISPOSED' });
      });
    });
  });
}
