// The reference operations against values worked out by hand: broadcasting, axes, empty shapes, ties, NaN.

import { describe, expect, it } from 'vitest';
import { InvalidTensorError } from '../errors.js';
import { referenceOps as ops, type ReferenceTensor } from './reference-backend.js';

const tensor = (dims: readonly number[], values: readonly number[]): ReferenceTensor => ({
  dims,
  data: Float64Array.from(values),
});
const vector = (...values: number[]): ReferenceTensor => tensor([values.length], values);

function expectTensor(actual: ReferenceTensor, dims: readonly number[], values: readonly number[]): void {
  expect(actual.dims).toEqual(dims);
  expect(actual.data).toHaveLength(values.length);
  values.forEach((value, i) => {
    if (Number.isFinite(value)) expect(actual.data[i]).toBeCloseTo(value, 12);
    else expect(actual.data[i]).toBe(value);
  });
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const grid = tensor([2, 3], [1, 2, 3, 4, 5, 6]);
// [2, 2, 3]: block, row, column
const cube = tensor([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

describe('constants', () => {
  it('scalar', () => expectTensor(ops.scalar(-2.5), [], [-2.5]));
  it('size', () => {
    expectTensor(ops.size(grid, 0), [], [2]);
    expectTensor(ops.size(grid, 1), [], [3]);
    expectTensor(ops.size(tensor([0, 4], []), 0), [], [0]);
  });
  it('range', () => {
    expectTensor(ops.range(grid, 1), [3], [0, 1, 2]);
    expectTensor(ops.range(tensor([0, 4], []), 0), [0], []);
  });
});

describe('element-wise operations', () => {
  it.each([
    ['add', [11, 22, 33]],
    ['subtract', [-9, -18, -27]],
    ['multiply', [10, 40, 90]],
    ['divide', [0.1, 0.1, 0.1]],
    ['maximum', [10, 20, 30]],
  ] as const)('%s', (op, values) => {
    expectTensor(ops[op](vector(1, 2, 3), vector(10, 20, 30)), [3], values);
  });

  it('divides by zero as IEEE 754 does', () => {
    expectTensor(ops.divide(vector(1, -1, 0), vector(0, 0, 0)), [3], [inf, -inf, nan]);
  });

  it('exp and log', () => {
    expectTensor(ops.exp(vector(0, 1, -inf, inf)), [4], [1, Math.E, 0, inf]);
    expectTensor(ops.log(vector(1, Math.E, 0, -1)), [4], [0, 1, -inf, nan]);
  });

  it('maximum propagates NaN from either side', () => {
    expectTensor(ops.maximum(vector(nan, 1, nan, -inf), vector(1, nan, nan, inf)), [4], [nan, nan, nan, inf]);
  });

  it('equal makes a condition that where reads', () => {
    const condition = ops.equal(vector(0, 1, 2), vector(0, 5, 2));
    expectTensor(ops.where(condition, vector(1, 2, 3), vector(-1, -2, -3)), [3], [1, -2, 3]);
  });

  it('where broadcasts all three, and takes NaN only from the chosen side', () => {
    const column = ops.equal(tensor([2, 1], [0, 1]), ops.scalar(1));
    expectTensor(ops.where(column, vector(1, 2, 3), ops.scalar(nan)), [2, 3], [nan, nan, nan, 1, 2, 3]);
    expectTensor(
      ops.where(ops.equal(ops.scalar(1), ops.scalar(1)), grid, ops.scalar(0)),
      [2, 3],
      [1, 2, 3, 4, 5, 6],
    );
  });
});

describe('broadcasting', () => {
  it.each<[string, ReferenceTensor, ReferenceTensor, readonly number[], readonly number[]]>([
    ['a scalar', grid, ops.scalar(10), [2, 3], [11, 12, 13, 14, 15, 16]],
    ['a row', grid, tensor([1, 3], [10, 20, 30]), [2, 3], [11, 22, 33, 14, 25, 36]],
    ['a column', grid, tensor([2, 1], [10, 20]), [2, 3], [11, 12, 13, 24, 25, 26]],
    ['a vector, aligned at the last axis', grid, vector(10, 20, 30), [2, 3], [11, 22, 33, 14, 25, 36]],
    ['a column with a row', tensor([2, 1], [1, 2]), vector(10, 20, 30), [2, 3], [11, 21, 31, 12, 22, 32]],
    [
      'a middle axis',
      cube,
      tensor([2, 1, 3], [0, 0, 0, 100, 100, 100]),
      [2, 2, 3],
      [1, 2, 3, 4, 5, 6, 107, 108, 109, 110, 111, 112],
    ],
    ['one element of higher rank', vector(1, 2), tensor([1, 1, 1], [5]), [1, 1, 2], [6, 7]],
    ['an empty axis with an axis of 1', tensor([0, 3], []), tensor([1, 3], [1, 2, 3]), [0, 3], []],
    ['an empty tensor with a scalar', tensor([2, 0], []), ops.scalar(1), [2, 0], []],
  ])('stretches %s', (_, a, b, dims, values) => {
    expectTensor(ops.add(a, b), dims, values);
    expectTensor(ops.add(b, a), dims, values);
  });

  it.each([
    [[2, 3], [2]],
    [
      [2, 3],
      [3, 2],
    ],
    [[0], [3]],
  ])('rejects [%s] with [%s], naming the op and both shapes', (a, b) => {
    const zeros = (dims: readonly number[]): ReferenceTensor =>
      tensor(dims, new Array<number>(dims.reduce((x, y) => x * y, 1)).fill(0));
    const act = (): ReferenceTensor => ops.multiply(zeros(a), zeros(b));
    expect(act).toThrow(InvalidTensorError);
    expect(act).toThrow(`'multiply': shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
  });
});

describe('matMul', () => {
  it('multiplies', () => {
    expectTensor(ops.matMul(grid, tensor([3, 2], [1, 2, 3, 4, 5, 6])), [2, 2], [22, 28, 49, 64]);
  });
  it('multiplies with the second matrix transposed', () => {
    expectTensor(
      ops.matMul(grid, tensor([2, 3], [1, 3, 5, 2, 4, 6]), { transposeB: true }),
      [2, 2],
      [22, 28, 49, 64],
    );
    expectTensor(ops.matMul(grid, grid, { transposeB: true }), [2, 2], [14, 32, 32, 77]);
  });
  it('keeps empty shapes', () => {
    expectTensor(ops.matMul(tensor([0, 3], []), tensor([3, 2], [1, 2, 3, 4, 5, 6])), [0, 2], []);
    expectTensor(ops.matMul(tensor([2, 0], []), tensor([0, 3], [])), [2, 3], [0, 0, 0, 0, 0, 0]);
    expectTensor(ops.matMul(tensor([2, 0], []), tensor([1, 0], []), { transposeB: true }), [2, 1], [0, 0]);
  });
  it('rejects inner lengths that differ, and tensors that are not matrices', () => {
    expect(() => ops.matMul(grid, grid)).toThrow(InvalidTensorError);
    expect(() => ops.matMul(grid, tensor([2, 2], [1, 2, 3, 4]), { transposeB: true })).toThrow(
      /length 3.*length 2/,
    );
    expect(() => ops.matMul(vector(1, 2), grid)).toThrow(/expected a matrix, got shape \[2\]/);
    expect(() => ops.matMul(grid, cube)).toThrow(InvalidTensorError);
  });
});

describe('transpose', () => {
  it('swaps rows and columns', () => {
    expectTensor(ops.transpose(grid), [3, 2], [1, 4, 2, 5, 3, 6]);
    expectTensor(ops.transpose(tensor([0, 3], [])), [3, 0], []);
  });
  it('rejects anything but matrices', () => {
    expect(() => ops.transpose(cube)).toThrow(/'transpose': expected a matrix, got shape \[2, 2, 3\]/);
  });
});

describe('rowNorms', () => {
  it('gives the Euclidean lengths, as a column', () => {
    expectTensor(ops.rowNorms(tensor([3, 2], [3, 4, -5, 12, 0, 0])), [3, 1], [5, 13, 0]);
  });
  it('is not finite for rows that are not finite', () => {
    const { data } = ops.rowNorms(tensor([3, 2], [Number.NaN, 1, Number.NEGATIVE_INFINITY, 1, 3, 4]));
    expect(Array.from(data)).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 5]);
  });
  it('keeps empty shapes', () => {
    expectTensor(ops.rowNorms(tensor([0, 2], [])), [0, 1], []);
    expectTensor(ops.rowNorms(tensor([2, 0], [])), [2, 1], [0, 0]);
  });
  it('rejects anything but matrices', () => {
    expect(() => ops.rowNorms(vector(3, 4))).toThrow(InvalidTensorError);
  });
});

describe('softmax', () => {
  it('sums to one along either axis', () => {
    const ln = (...values: number[]): number[] => values.map(Math.log);
    expectTensor(ops.softmax(tensor([2, 2], ln(1, 3, 1, 1)), 1), [2, 2], [0.25, 0.75, 0.5, 0.5]);
    expectTensor(ops.softmax(tensor([2, 2], ln(1, 3, 4, 1)), 0), [2, 2], [0.2, 0.75, 0.8, 0.25]);
  });
  it('does not overflow', () => {
    expectTensor(ops.softmax(vector(1e4, 1e4, -1e4), 0), [3], [0.5, 0.5, 0]);
  });
  it('keeps empty shapes', () => {
    expectTensor(ops.softmax(tensor([3, 0], []), 0), [3, 0], []);
    expectTensor(ops.softmax(tensor([0, 3], []), 0), [0, 3], []);
  });
});

describe('reductions', () => {
  it('sum drops the axis, or keeps it with length 1', () => {
    expectTensor(ops.sum(grid, 0), [3], [5, 7, 9]);
    expectTensor(ops.sum(grid, 1), [2], [6, 15]);
    expectTensor(ops.sum(grid, 1, { keepDims: true }), [2, 1], [6, 15]);
    expectTensor(ops.sum(cube, 1), [2, 3], [5, 7, 9, 17, 19, 21]);
    expectTensor(ops.sum(vector(1, 2), 0), [], [3]);
  });
  it('the sum over an empty axis is 0', () => {
    expectTensor(ops.sum(tensor([0, 2], []), 0), [2], [0, 0]);
    expectTensor(ops.sum(tensor([0, 2], []), 1), [0], []);
  });
  it('max', () => {
    expectTensor(ops.max(grid, 0), [3], [4, 5, 6]);
    expectTensor(ops.max(grid, 1, { keepDims: true }), [2, 1], [3, 6]);
    expectTensor(ops.max(vector(-3, -1, -2), 0), [], [-1]);
    expectTensor(ops.max(tensor([2, 3], [1, nan, 3, nan, 2, 1]), 1), [2], [nan, nan]);
    expectTensor(ops.max(tensor([0, 2], []), 1), [0], []);
  });
  it('argMax gives ties to the lowest index', () => {
    expectTensor(ops.argMax(vector(1, 3, 2, 3, 3), 0), [], [1]);
    expectTensor(ops.argMax(vector(0, 0, 0), 0), [], [0]);
    expectTensor(ops.argMax(vector(-0, 0), 0), [], [0]);
    expectTensor(ops.argMax(vector(-inf, -inf), 0), [], [0]);
    expectTensor(ops.argMax(tensor([2, 3], [1, 5, 5, 7, 7, 0]), 1), [2], [1, 0]);
    expectTensor(ops.argMax(tensor([2, 3], [1, 5, 5, 7, 5, 0]), 0), [3], [1, 0, 0]);
    expectTensor(ops.argMax(vector(1, nan, 3, nan), 0), [], [1]);
  });
  it('max and argMax reject an empty axis', () => {
    expect(() => ops.max(tensor([0, 2], []), 0)).toThrow(/'max': the axis is empty/);
    expect(() => ops.argMax(tensor([2, 0], []), 1)).toThrow(/'argMax': the axis is empty/);
  });
});

describe('concat', () => {
  it('joins along the first, last and middle axis', () => {
    expectTensor(ops.concat([grid, tensor([1, 3], [7, 8, 9])], 0), [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expectTensor(ops.concat([grid, tensor([2, 1], [10, 20])], 1), [2, 4], [1, 2, 3, 10, 4, 5, 6, 20]);
    expectTensor(
      ops.concat([tensor([2, 1, 2], [1, 2, 3, 4]), tensor([2, 2, 2], [5, 6, 7, 8, 9, 10, 11, 12])], 1),
      [2, 3, 2],
      [1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12],
    );
  });
  it('takes one part, and parts that are empty', () => {
    expectTensor(ops.concat([grid], 1), [2, 3], [1, 2, 3, 4, 5, 6]);
    expectTensor(ops.concat([tensor([0, 3], []), grid], 0), [2, 3], [1, 2, 3, 4, 5, 6]);
  });
  it('rejects nothing to join, and parts whose other axes differ', () => {
    expect(() => ops.concat([], 0)).toThrow(InvalidTensorError);
    expect(() => ops.concat([grid, tensor([1, 2], [7, 8])], 0)).toThrow(InvalidTensorError);
    expect(() => ops.concat([grid, tensor([3, 1], [7, 8, 9])], 1)).toThrow(InvalidTensorError);
    expect(() => ops.concat([grid, vector(7, 8, 9)], 0)).toThrow(InvalidTensorError);
  });
});

describe('gather', () => {
  it('keeps the axis for a vector of indices, in their order, repeats included', () => {
    expectTensor(ops.gather(grid, vector(1, 0, 1), 0), [3, 3], [4, 5, 6, 1, 2, 3, 4, 5, 6]);
    expectTensor(ops.gather(grid, vector(2, 0), 1), [2, 2], [3, 1, 6, 4]);
  });
  it('drops the axis for a single index', () => {
    expectTensor(ops.gather(grid, ops.scalar(1), 0), [3], [4, 5, 6]);
    expectTensor(ops.gather(grid, ops.scalar(1), 1), [2], [2, 5]);
    expectTensor(ops.gather(vector(7, 8), ops.scalar(1), 0), [], [8]);
  });
  it('takes no indices', () => expectTensor(ops.gather(grid, vector(), 0), [0, 3], []));
  it.each([-1, 2, 17])('rejects the index %d of two', (index) => {
    expect(() => ops.gather(grid, vector(index), 0)).toThrow(`index ${index} is out of range for length 2`);
  });
});

describe('loop', () => {
  const one = ops.scalar(1);
  const double = ({ x }: { readonly x: ReferenceTensor }) => ({
    state: { x: ops.add(x, x) },
    emit: { seen: ops.sum(x, 0), whole: x },
  });

  it('passes the state on and stacks what is emitted', () => {
    const { state, emitted } = ops.loop(ops.scalar(3), { x: vector(1, 2) }, ({ x }) => ({
      state: { x: ops.add(x, x) },
      emit: { x },
    }));
    expectTensor(state.x, [2], [8, 16]);
    expectTensor(emitted.x, [3, 2], [1, 2, 2, 4, 4, 8]);
  });

  it('emits other things than it keeps', () => {
    const { state, emitted } = ops.loop<{ x: ReferenceTensor }, Record<string, ReferenceTensor>>(
      ops.scalar(2),
      { x: vector(1, 2) },
      double,
    );
    expectTensor(state.x, [2], [4, 8]);
    expectTensor(emitted.seen as ReferenceTensor, [2], [3, 6]);
    expectTensor(emitted.whole as ReferenceTensor, [2, 2], [1, 2, 2, 4]);
  });

  it('with zero steps returns the state as given and empty stacks of the right shape', () => {
    const { state, emitted } = ops.loop<{ x: ReferenceTensor }, Record<string, ReferenceTensor>>(
      ops.scalar(0),
      { x: vector(1, 2) },
      double,
    );
    expectTensor(state.x, [2], [1, 2]);
    expectTensor(emitted.seen as ReferenceTensor, [0], []);
    expectTensor(emitted.whole as ReferenceTensor, [0, 2], []);
  });

  it('runs a greedy search', () => {
    // Three candidates over two targets; the loop picks two of them by gain.
    const affinity = tensor([3, 2], [0.9, 0, 0.8, 0.1, 0, 0.7]);
    const { emitted } = ops.loop<Record<string, ReferenceTensor>, Record<string, ReferenceTensor>>(
      ops.scalar(2),
      { best: tensor([2], [0, 0]) },
      (state) => {
        const best = state.best as ReferenceTensor;
        const gains = ops.sum(ops.maximum(ops.subtract(affinity, best), ops.scalar(0)), 1);
        const pick = ops.argMax(gains, 0);
        return { state: { best: ops.maximum(best, ops.gather(affinity, pick, 0)) }, emit: { pick } };
      },
    );
    expectTensor(emitted.pick as ReferenceTensor, [2], [0, 2]);
    expectTensor(one, [], [1]);
  });
});

describe('axes', () => {
  const calls: Readonly<Record<string, (axis: number) => unknown>> = {
    size: (axis) => ops.size(grid, axis),
    range: (axis) => ops.range(grid, axis),
    softmax: (axis) => ops.softmax(grid, axis),
    sum: (axis) => ops.sum(grid, axis),
    max: (axis) => ops.max(grid, axis),
    argMax: (axis) => ops.argMax(grid, axis),
    concat: (axis) => ops.concat([grid, grid], axis),
    gather: (axis) => ops.gather(grid, vector(0), axis),
  };
  it.each(Object.keys(calls).flatMap((op) => [-1, 2].map((axis) => [op, axis] as const)))(
    '%s rejects axis %d of a matrix',
    (op, axis) => {
      expect(() => calls[op]?.(axis)).toThrow(InvalidTensorError);
      expect(() => calls[op]?.(axis)).toThrow(`axis ${axis} is out of range for shape [2, 3]`);
    },
  );
});
