// The reference backend: every operation in plain JavaScript and double precision, simple rather than fast. Other backends are compared with it.

import { DisposedError, InvalidTensorError } from '../errors.js';
import { type Backend, checkInputs, checkInto } from './backend.js';
import type { TensorOps, TensorSpecs } from './program.js';
import { elementCount, float32, type HostTensor, widen } from './tensor.js';

/** A dense row-major array of doubles. Conditions hold 0 or 1, index tensors hold integers. */
export interface ReferenceTensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

type Tensor = ReferenceTensor;

const tensor = (dims: readonly number[], data?: Float64Array): Tensor => ({
  dims,
  data: data ?? new Float64Array(elementCount(dims)),
});

function fail(op: string, problem: string): never {
  throw new InvalidTensorError(op, problem);
}

/** The shape that `a` and `b` broadcast to. */
function broadcastDims(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      fail(op, `shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** For each element of shape `to`, the position in a tensor of shape `from` that broadcasts to it. */
function broadcastIndex(from: readonly number[], to: readonly number[]): (position: number) => number {
  if (from.length === to.length && from.every((length, axis) => length === to[axis]))
    return (position) => position;
  if (elementCount(from) === 1) return () => 0;
  const strides = new Array<number>(to.length).fill(0);
  let stride = 1;
  for (let axis = from.length - 1; axis >= 0; axis--) {
    const length = from[axis] as number;
    strides[axis + to.length - from.length] = length === 1 ? 0 : stride;
    stride *= length;
  }
  return (position) => {
    let rest = position;
    let index = 0;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const length = to[axis] as number;
      index += (rest % length) * (strides[axis] as number);
      rest = Math.floor(rest / length);
    }
    return index;
  };
}

function elementwise(op: string, a: Tensor, b: Tensor, compute: (x: number, y: number) => number): Tensor {
  const out = tensor(broadcastDims(op, a.dims, b.dims));
  const left = broadcastIndex(a.dims, out.dims);
  const right = broadcastIndex(b.dims, out.dims);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = compute(a.data[left(i)] as number, b.data[right(i)] as number);
  }
  return out;
}

/** Splits a shape around an axis: number of blocks before it, its length, number of elements after it. */
function around(op: string, x: Tensor, axis: number): { outer: number; length: number; inner: number } {
  const length = x.dims[axis];
  if (length === undefined) return fail(op, `axis ${axis} is out of range for shape [${x.dims.join(', ')}]`);
  return {
    outer: elementCount(x.dims.slice(0, axis)),
    length,
    inner: elementCount(x.dims.slice(axis + 1)),
  };
}

function reduce(
  op: string,
  x: Tensor,
  axis: number,
  keepDims: boolean,
  compute: (at: (i: number) => number, length: number) => number,
): Tensor {
  const { outer, length, inner } = around(op, x, axis);
  const dims = keepDims ? x.dims.with(axis, 1) : x.dims.toSpliced(axis, 1);
  const out = tensor(dims);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * length * inner + i;
      out.data[o * inner + i] = compute((k) => x.data[start + k * inner] as number, length);
    }
  }
  return out;
}

/** The larger of two numbers; NaN propagates. */
const larger = (x: number, y: number): number => (x > y || Number.isNaN(x) ? x : y);

function sumOf(at: (i: number) => number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += at(i);
  return sum;
}

function maxOf(op: string, at: (i: number) => number, length: number): number {
  if (length === 0) return fail(op, 'the axis is empty');
  let max = at(0);
  for (let i = 1; i < length; i++) max = larger(at(i), max);
  return max;
}

function matrixDims(op: string, x: Tensor): readonly [number, number] {
  const [rows, columns] = x.dims;
  if (x.dims.length !== 2 || rows === undefined || columns === undefined) {
    return fail(op, `expected a matrix, got shape [${x.dims.join(', ')}]`);
  }
  return [rows, columns];
}

/** The operations, over {@link ReferenceTensor}. */
export const referenceOps: TensorOps<ReferenceTensor> = {
  scalar: (value) => tensor([], Float64Array.of(value)),
  size: (x, axis) => tensor([], Float64Array.of(around('size', x, axis).length)),
  range: (x, axis) => {
    const { length } = around('range', x, axis);
    return tensor(
      [length],
      Float64Array.from({ length }, (_, i) => i),
    );
  },

  add: (a, b) => elementwise('add', a, b, (x, y) => x + y),
  subtract: (a, b) => elementwise('subtract', a, b, (x, y) => x - y),
  multiply: (a, b) => elementwise('multiply', a, b, (x, y) => x * y),
  divide: (a, b) => elementwise('divide', a, b, (x, y) => x / y),
  maximum: (a, b) => elementwise('maximum', a, b, larger),
  exp: (x) => tensor(x.dims, x.data.map(Math.exp)),
  log: (x) => tensor(x.dims, x.data.map(Math.log)),
  equal: (a, b) => elementwise('equal', a, b, (x, y) => (x === y ? 1 : 0)),
  where: (condition, a, b) => {
    const dims = broadcastDims('where', broadcastDims('where', a.dims, b.dims), condition.dims);
    const out = tensor(dims);
    const [c, x, y] = [condition, a, b].map((part) => broadcastIndex(part.dims, dims));
    for (let i = 0; i < out.data.length; i++) {
      out.data[i] = (
        condition.data[c?.(i) as number] === 1 ? a.data[x?.(i) as number] : b.data[y?.(i) as number]
      ) as number;
    }
    return out;
  },

  matMul: (a, b, options) => {
    const right = options?.transposeB ? b : referenceOps.transpose(b);
    const [n, d] = matrixDims('matMul', a);
    const [m, depth] = matrixDims('matMul', right);
    if (d !== depth) fail('matMul', `cannot multiply rows of length ${d} with columns of length ${depth}`);
    const out = tensor([n, m]);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        let dot = 0;
        for (let k = 0; k < d; k++) dot += (a.data[i * d + k] as number) * (right.data[j * d + k] as number);
        out.data[i * m + j] = dot;
      }
    }
    return out;
  },
  transpose: (x) => {
    const [n, m] = matrixDims('transpose', x);
    const out = tensor([m, n]);
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) out.data[j * n + i] = x.data[i * m + j] as number;
    return out;
  },
  rowNorms: (x) => {
    const [n, d] = matrixDims('rowNorms', x);
    const square = (i: number, k: number): number => (x.data[i * d + k] as number) ** 2;
    const norm = (i: number): number => Math.sqrt(sumOf((k) => square(i, k), d));
    // Rounded as between two programs, so that norms passed in give the same bits as computed ones.
    return tensor([n, 1], Float64Array.from(Float32Array.from({ length: n }, (_, i) => norm(i))));
  },
  softmax: (x, axis) => {
    if (x.data.length === 0) return x;
    const shifted = referenceOps.exp(referenceOps.subtract(x, referenceOps.max(x, axis, { keepDims: true })));
    return referenceOps.divide(shifted, referenceOps.sum(shifted, axis, { keepDims: true }));
  },

  sum: (x, axis, options) => reduce('sum', x, axis, options?.keepDims ?? false, sumOf),
  max: (x, axis, options) =>
    reduce('max', x, axis, options?.keepDims ?? false, (at, length) => maxOf('max', at, length)),
  argMax: (x, axis) =>
    reduce('argMax', x, axis, false, (at, length) => {
      const max = maxOf('argMax', at, length);
      let index = 0;
      while (!Object.is(at(index), max) && at(index) !== max) index++;
      return index;
    }),

  concat: (parts, axis) => {
    const [first] = parts;
    if (first === undefined) return fail('concat', 'there is nothing to concatenate');
    const lengths = parts.map((part) => around('concat', part, axis));
    for (const { dims } of parts) {
      const fits =
        dims.length === first.dims.length && dims.every((d, a) => a === axis || d === first.dims[a]);
      if (fits) continue;
      fail(
        'concat',
        `shapes [${first.dims.join(', ')}] and [${dims.join(', ')}] do not match along axis ${axis}`,
      );
    }
    const out = tensor(
      first.dims.with(
        axis,
        lengths.reduce((sum, { length }) => sum + length, 0),
      ),
    );
    const { outer } = around('concat', first, axis);
    let at = 0;
    for (let o = 0; o < outer; o++) {
      parts.forEach((part, p) => {
        const { length, inner } = lengths[p] as {
          length: number;
          inner: number;
        };
        out.data.set(part.data.subarray(o * length * inner, (o + 1) * length * inner), at);
        at += length * inner;
      });
    }
    return out;
  },
  gather: (x, indices, axis) => {
    const { outer, length, inner } = around('gather', x, axis);
    const out = tensor([...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)]);
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const index of indices.data) {
        if (!(index >= 0 && index < length))
          fail('gather', `index ${index} is out of range for length ${length}`);
        const start = (o * length + index) * inner;
        out.data.set(x.data.subarray(start, start + inner), at);
        at += inner;
      }
    }
    return out;
  },

  loop: (count, initial, body) => {
    let state = initial;
    const steps: Readonly<Record<string, Tensor>>[] = [];
    const times = count.data[0] ?? 0;
    for (let step = 0; step < times; step++) {
      const next = body(state);
      state = next.state;
      steps.push(next.emit);
    }
    // For zero steps, one extra step gives the names and shapes of the outputs.
    const emit = steps[0] ?? body(state).emit;
    const emitted = Object.fromEntries(
      Object.entries(emit).map(([name, { dims }]) => {
        const stacked = tensor([steps.length, ...dims]);
        steps.forEach((each, step) => {
          stacked.data.set((each[name] as Tensor).data, step * elementCount(dims));
        });
        return [name, stacked];
      }),
    );
    return { state, emitted: emitted as never };
  },
};

/**
 * A backend in plain JavaScript with double-precision arithmetic, for tests, small inputs, and as the definition of every
 * operation. For more than a few hundred vision tokens use `@mmtok/ort-backend`.
 */
export function createReferenceBackend(): Backend {
  let disposed = false;
  return {
    name: 'reference',
    device: 'cpu',
    precision: 1e-6,
    async run(program, inputs, options) {
      if (disposed) throw new DisposedError("Backend 'reference'");
      checkInputs(program, inputs);
      const tensors = Object.fromEntries(
        Object.keys(program.inputs).map((name) => [name, fromHost(inputs[name] as HostTensor)]),
      );
      const outputs = program.build(referenceOps, tensors as never) as Readonly<
        Record<string, ReferenceTensor>
      >;
      const into: Readonly<Record<string, Float32Array | undefined>> = options?.into ?? {};
      const read = Object.entries(program.outputs as TensorSpecs).map(([name, spec]) => {
        const { dims, data } = outputs[name] as ReferenceTensor;
        if (spec.dtype === 'int32') return [name, { type: 'int32', data: Int32Array.from(data), dims }];
        const target = into[name] ?? new Float32Array(data.length);
        checkInto(program, name, dims, target);
        target.set(data);
        return [name, float32(target, dims)];
      });
      return Object.fromEntries(read);
    },
    async dispose() {
      disposed = true;
    },
  };
}

function fromHost(host: HostTensor): ReferenceTensor {
  const { data, dims } = widen(host);
  return { dims, data: Float64Array.from(data) };
}
