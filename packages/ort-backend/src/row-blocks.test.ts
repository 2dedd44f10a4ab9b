// Programs over the product of a matrix with its own transpose, whose blocks of rows are joined as late as possible: the same results
// as on the reference backend, whatever the product is combined with.

import { type Backend, createReferenceBackend, type TensorOps } from '@mmtok/core';
import { defineProgram, float32, type HostTensor } from '@mmtok/core/backend';
import { createRandom } from '@mmtok/core/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrtBackend } from './index.js';

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend();
});
afterAll(() => backend.dispose());

const ROWS = 400;
const random = (dims: readonly number[]): HostTensor => {
  const rng = createRandom(dims.length + (dims[0] ?? 0));
  return float32(Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, rng), dims);
};
const tensors = {
  x: random([ROWS, 3]),
  row: random([1, ROWS]),
  column: random([ROWS, 1]),
  scalar: random([]),
};

interface Inputs<T> {
  readonly x: T;
  readonly row: T;
  readonly column: T;
  readonly scalar: T;
}
type Build = <T>(ops: TensorOps<T>, product: T, inputs: Inputs<T>) => T;

const programOf = (build: Build) =>
  defineProgram({
    name: 'blocks',
    inputs: {
      x: { dims: ['n', 'd'] },
      row: { dims: ['one', 'm'] },
      column: { dims: ['n', 'one'] },
      scalar: { dims: [] },
    },
    outputs: { result: { dims: ['rows', 'columns'] } },
    build: (ops, inputs) => ({
      result: build(ops, ops.matMul(inputs.x, inputs.x, { transposeB: true }), inputs),
    }),
  });

const keepDims = { keepDims: true };
const builds: Readonly<Record<string, Build>> = {
  itself: (_, product) => product,
  'its exponentials': (ops, product) => ops.exp(product),
  'minus a scalar': (ops, product, { scalar }) => ops.subtract(product, scalar),
  'subtracted from a row': (ops, product, { row }) => ops.subtract(row, product),
  'times a column': (ops, product, { column }) => ops.multiply(product, column),
  'of rows scaled by a column, and those rows': (ops, product, { x, column }) => {
    const rows = ops.divide(x, ops.add(column, ops.scalar(1)));
    const ofScaled = ops.matMul(rows, rows, { transposeB: true });
    return ops.add(ops.add(ofScaled, product), ops.sum(rows, 1, keepDims));
  },
  'times itself': (ops, product) => ops.multiply(product, product),
  'divided by the sums of its columns': (ops, product) => ops.divide(product, ops.sum(product, 0, keepDims)),
  'divided by the sums of its rows, transposed': (ops, product) =>
    ops.divide(product, ops.transpose(ops.sum(product, 1, keepDims))),
  'weighted by a product with a row': (ops, product, { x }) => {
    const center = ops.sum(x, 0, keepDims);
    return ops.multiply(product, ops.transpose(ops.matMul(x, center, { transposeB: true })));
  },
  'the highest of each row': (ops, product) => ops.max(product, 1, keepDims),
  'a softmax over rows': (ops, product, { scalar }) => ops.softmax(ops.add(product, scalar), 1),
  'its transpose, and itself': (ops, product) => ops.add(ops.transpose(product), ops.log(ops.exp(product))),
};

/** The largest relative difference of two tensors. */
function farthest(ours: HostTensor | undefined, reference: HostTensor | undefined): number {
  const [a, b] = [ours?.data ?? [], reference?.data ?? []];
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < b.length; i++) {
    const wanted = b[i] as number;
    most = Math.max(most, Math.abs((a[i] as number) - wanted) / Math.max(1, Math.abs(wanted)));
  }
  return most;
}

describe('the product of a matrix with itself in blocks of rows', () => {
  it.each(Object.entries(builds))('%s', async (_, build) => {
    const program = programOf(build);
    const [ours, reference] = await Promise.all(
      [backend, createReferenceBackend()].map((each) => each.run(program, tensors)),
    );
    expect(ours?.result.dims).toEqual(reference?.result.dims);
    expect(farthest(ours?.result, reference?.result)).toBeLessThan(1e-5);
  });

  it('a row in one run may be a matrix in the next', async () => {
    const program = programOf((ops, product, { row }) => ops.add(product, row));
    await backend.run(program, tensors);
    const matrix = random([ROWS, ROWS]);
    const inputs = { ...tensors, row: matrix, column: matrix };
    const [ours, reference] = await Promise.all(
      [backend, createReferenceBackend()].map((each) => each.run(program, inputs)),
    );
    expect(farthest(ours?.result, reference?.result)).toBeLessThan(1e-5);
  });

  it('is joined before a loop that reads it', async () => {
    const program = defineProgram({
      name: 'loop over blocks',
      inputs: { x: { dims: ['n', 'd'] }, times: { dims: [], dtype: 'int32' } },
      outputs: { total: { dims: ['n', 'n'] }, exponentials: { dims: ['n', 'n'] } },
      build: (ops, { x, times }) => {
        const kernel = ops.exp(ops.matMul(x, x, { transposeB: true }));
        const { state } = ops.loop(times, { total: ops.multiply(kernel, ops.scalar(0)) }, ({ total }) => {
          const again = ops.matMul(x, x, { transposeB: true });
          return { state: { total: ops.add(ops.add(total as never, kernel), again) }, emit: {} };
        });
        return { total: state.total as never, exponentials: kernel };
      },
    });
    const times: HostTensor = { type: 'int32', data: Int32Array.of(2), dims: [] };
    const [ours, reference] = await Promise.all(
      [backend, createReferenceBackend()].map((each) => each.run(program, { x: tensors.x, times })),
    );
    for (const name of ['total', 'exponentials'] as const) {
      expect(farthest(ours?.[name], reference?.[name])).toBeLessThan(1e-5);
    }
  });
});
