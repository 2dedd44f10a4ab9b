// The tests of every engine: the conformance suite, and what this package promises about memory, aliasing and quirks.

import { createRequire } from 'node:module';
import { createReferenceBackend, type Float32Tensor, selectTokens } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
import { describeBackend } from '@mmtok/core/testing';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tfjs, TfjsBackend } from '../src/index.js';

const vector = { dims: ['n'] } as const;
const matrix = { dims: ['n', 'm'] } as const;

/** Greedy facility location entirely on the engine: exercises the loop, whose state must not accumulate. */
const deviceGreedy = defineProgram({
  name: 'device-greedy',
  inputs: { gains: { dims: ['c', 't'] }, count: { dims: [], dtype: 'int32' } },
  outputs: { picks: { dims: ['k'], dtype: 'int32' }, covered: { dims: ['t'] } },
  build: (ops, { gains, count }) => {
    const { state, emitted } = ops.loop(
      count,
      { covered: ops.multiply(ops.sum(gains, 0), ops.scalar(0)) },
      ({ covered }) => {
        const improved = ops.maximum(gains, covered);
        const pick = ops.argMax(ops.sum(ops.subtract(improved, covered), 1), 0);
        return { state: { covered: ops.gather(improved, pick, 0) }, emit: { pick } };
      },
    );
    return { picks: emitted.pick, covered: state.covered };
  },
});

const addOne = defineProgram({
  name: 'add-one',
  inputs: { x: vector },
  outputs: { y: vector },
  build: (ops, { x }) => ({ y: ops.add(x, ops.scalar(1)) }),
});

const twice = defineProgram({
  name: 'twice',
  inputs: { x: vector },
  outputs: { a: vector, b: vector },
  build: (_ops, { x }) => ({ a: x, b: x }),
});

const joined = defineProgram({
  name: 'joined',
  inputs: { x: matrix, y: { dims: ['k', 'm'] } },
  outputs: { rows: { dims: ['r', 'm'] }, sums: { dims: ['m'] }, products: { dims: ['n', 'k'] } },
  build: (ops, { x, y }) => ({
    rows: ops.concat([x, y], 0),
    sums: ops.sum(ops.concat([x, y], 0), 0),
    products: ops.matMul(x, y, { transposeB: true }),
  }),
});

const random = (rows: number, columns: number, seed: number): Float32Tensor =>
  float32(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(seed + i * 12.9898) ** 2),
    [rows, columns],
  );

/** An engine to be tested. */
export interface EngineUnderTest {
  readonly name: string;
  /** The module that `create` loads, to count its live tensors. */
  readonly module: string;
  create(): Promise<TfjsBackend>;
  /** Reports all tests as skipped, with this reason. */
  readonly skip?: string | false;
}

/** Enough to find a leak in only some of the runs: the count of live tensors is exact, so a single leaked one shows. */
const RUNS = 100;

/** Declares all tests for one engine. */
export function describeEngine({ name, module, create, skip = false }: EngineUnderTest): void {
  const liveTensors = (): number => (createRequire(import.meta.url)(module) as Tfjs).memory().numTensors;

  describeBackend({ name: `tfjs ${name}`, create, skip, liveTensors });

  describe.skipIf(skip !== false)(`tfjs engine ${name}`, () => {
    let backend: TfjsBackend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend.dispose());

    it(`leaks no tensor in ${RUNS} runs of a loop`, async () => {
      const inputs = {
        gains: random(12, 9, 1),
        count: { type: 'int32', data: Int32Array.of(6), dims: [] },
      } as const;
      for (let i = 0; i < RUNS; i++) await backend.run(deviceGreedy, inputs);
      expect(liveTensors()).toBe(0);
    });

    it(`leaks no tensor in ${RUNS} selections`, async () => {
      const vision = random(24, 8, 2);
      const text = random(3, 8, 3);
      for (let i = 0; i < RUNS; i++) await selectTokens({ backend, vision, text, budget: { tokens: 5 } });
      expect(liveTensors()).toBe(0);
    });

    it('leaks no tensor if a program throws halfway', async () => {
      const broken = defineProgram({
        ...addOne,
        name: 'broken',
        build: (ops, { x }) => ({ y: ops.add(ops.exp(x), ops.matMul(x, x)) }),
      });
      await expect(backend.run(broken, { x: float32(new Float32Array(3), [3]) })).rejects.toThrow();
      expect(liveTensors()).toBe(0);
    });

    it('leaks no tensor and mixes nothing up when many runs overlap', async () => {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, i) => backend.run(addOne, { x: float32(Float32Array.of(i), [1]) })),
      );
      expect(results.map(({ y }) => y.data[0])).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
      expect(liveTensors()).toBe(0);
    });

    it('returns unshared memory: neither the caller’s, nor one array twice', async () => {
      const data = Float32Array.of(1, 2);
      const { a, b } = await backend.run(twice, { x: float32(data, [2]) });
      a.data[0] = 10;
      b.data[0] = 20;
      expect([data[0], a.data[0], b.data[0]]).toEqual([1, 10, 20]);
    });

    it('keeps NaN in maximum, whichever side it is on, scalar or long', async () => {
      const program = defineProgram({
        name: 'maxima',
        inputs: { x: vector, y: vector },
        outputs: { left: vector, right: vector },
        build: (ops, { x, y }) => ({ left: ops.maximum(x, y), right: ops.maximum(y, x) }),
      });
      for (const length of [1, 4, 37]) {
        const nan = float32(new Float32Array(length).fill(Number.NaN), [length]);
        const one = float32(new Float32Array(length).fill(1), [length]);
        const { left, right } = await backend.run(program, { x: nan, y: one });
        expect([...left.data, ...right.data].every(Number.isNaN)).toBe(true);
      }
    });

    it('returns zeros rather than uninitialized memory for empty sums and products', async () => {
      await backend.run(addOne, { x: float32(new Float32Array(4096).fill(7), [4096]) });
      const nothing = float32(new Float32Array(0), [0, 3]);
      const { rows, sums } = await backend.run(joined, { x: nothing, y: nothing });
      expect(rows.dims).toEqual([0, 3]);
      expect([...sums.data]).toEqual([0, 0, 0]);
      const noWidth = float32(new Float32Array(0), [2, 0]);
      const { products } = await backend.run(joined, { x: noWidth, y: noWidth });
      expect([...products.data]).toEqual([0, 0, 0, 0]);
    });

    it('returns the lowest index among ties, on either axis, in any number of rows', async () => {
      const program = defineProgram({
        name: 'arg-max',
        inputs: { x: matrix },
        outputs: { rows: { dims: ['n'], dtype: 'int32' }, columns: { dims: ['m'], dtype: 'int32' } },
        build: (ops, { x }) => ({ rows: ops.argMax(x, 1), columns: ops.argMax(x, 0) }),
      });
      const reference = createReferenceBackend();
      const sizes = fc.record({ n: fc.integer({ min: 1, max: 40 }), m: fc.integer({ min: 1, max: 400 }) });
      await fc.assert(
        fc.asyncProperty(sizes, fc.integer({ min: 1, max: 4 }), async ({ n, m }, levels) => {
          const data = Float32Array.from({ length: n * m }, (_, i) =>
            Math.floor(levels * Math.sin(i * 7.3) ** 2),
          );
          const x = float32(data, [n, m]);
          expect(await backend.run(program, { x })).toEqual(await reference.run(program, { x }));
        }),
        { numRuns: 60 },
      );
    });

    it('runs a greedy loop on the engine with the picks of the reference', async () => {
      const reference = createReferenceBackend();
      for (const times of [0, 1, 10]) {
        const inputs = {
          gains: random(40, 30, 5),
          count: { type: 'int32', data: Int32Array.of(times), dims: [] },
        } as const;
        const { picks } = await backend.run(deviceGreedy, inputs);
        expect(picks).toEqual((await reference.run(deviceGreedy, inputs)).picks);
      }
    });
  });
}
