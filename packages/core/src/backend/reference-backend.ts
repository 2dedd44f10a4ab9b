// The reference backend: every operation in plain JavaScript and double precision, simple rather than fast. Other backends are compared with it.

import { DisposedError, InvalidTensorError } from '../errors.js';
import { type Backend, checkInputs, checkInto, type TensorOps, type TensorSpecs } from './backend.js';
import { shapeOps } from './shapes.js';
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

type Elementwise = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'equal';

function elementwise(
  op: Elementwise,
  a: Tensor,
  b: Tensor,
  compute: (x: number, y: number) => number,
): Tensor {
  const out = tensor(shapeOps[op](a, b).dims);
  const left = broadcastIndex(a.dims, out.dims);
  const right = broadcastIndex(b.dims, out.dims);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = compute(a.data[left(i)] as number, b.data[right(i)] as number);
  }
  return out;
}

/** Splits a shape around an axis: number of blocks before it, its length, number of elements after it. */
function around({ dims }: Tensor, axis: number): { outer: number; length: number; inner: number } {
  return {
    outer: elementCount(dims.slice(0, axis)),
    length: dims[axis] as number,
    inner: elementCount(dims.slice(axis + 1)),
  };
}

/** @param to the shape of the result. */
function reduce(
  x: Tensor,
  axis: number,
  to: readonly number[],
  compute: (at: (i: number) => number, length: number) => number,
): Tensor {
  const { outer, length, inner } = around(x, axis);
  const out = tensor(to);
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

function maxOf(at: (i: number) => number, length: number): number {
  let max = at(0);
  for (let i = 1; i < length; i++) max = larger(at(i), max);
  return max;
}

/** The operations, over {@link ReferenceTensor}. */
export const referenceOps: TensorOps<ReferenceTensor> = {
  scalar: (value) => tensor([], Float64Array.of(value)),
  size: (x, axis) => tensor(shapeOps.size(x, axis).dims, Float64Array.of(x.dims[axis] as number)),
  range: (x, axis) => {
    const { dims } = shapeOps.range(x, axis);
    return tensor(
      dims,
      Float64Array.from({ length: elementCount(dims) }, (_, i) => i),
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
    const { dims } = shapeOps.where(condition, a, b);
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
    const out = tensor(shapeOps.matMul(a, b, options).dims);
    const right = options?.transposeB ? b : referenceOps.transpose(b);
    const [n = 0, m = 0] = out.dims;
    const d = a.dims[1] as number;
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
    const out = tensor(shapeOps.transpose(x).dims);
    const [m = 0, n = 0] = out.dims;
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) out.data[j * n + i] = x.data[i * m + j] as number;
    return out;
  },
  rowNorms: (x) => {
    const { dims } = shapeOps.rowNorms(x);
    const d = x.dims[1] as number;
    const square = (i: number, k: number): number => (x.data[i * d + k] as number) ** 2;
    const norm = (i: number): number => Math.sqrt(sumOf((k) => square(i, k), d));
    // Rounded as between two programs, so that norms passed in give the same bits as computed ones.
    return tensor(
      dims,
      Float64Array.from(Float32Array.from({ length: elementCount(dims) }, (_, i) => norm(i))),
    );
  },
  softmax: (x, axis) => {
    if (x.data.length === 0) return x;
    const shifted = referenceOps.exp(referenceOps.subtract(x, referenceOps.max(x, axis, { keepDims: true })));
    return referenceOps.divide(shifted, referenceOps.sum(shifted, axis, { keepDims: true }));
  },

  sum: (x, axis, options) => reduce(x, axis, shapeOps.sum(x, axis, options).dims, sumOf),
  max: (x, axis, options) => reduce(x, axis, shapeOps.max(x, axis, options).dims, maxOf),
  argMax: (x, axis) =>
    reduce(x, axis, shapeOps.argMax(x, axis).dims, (at, length) => {
      const max = maxOf(at, length);
      let index = 0;
      while (!Object.is(at(index), max) && at(index) !== max) index++;
      return index;
    }),

  concat: (parts, axis) => {
    const out = tensor(shapeOps.concat(parts, axis).dims);
    const lengths = parts.map((part) => around(part, axis));
    const { outer } = around(out, axis);
    let at = 0;
    for (let o = 0; o < outer; o++) {
      parts.forEach((part, p) => {
        const { length, inner } = lengths[p] as (typeof lengths)[number];
        out.data.set(part.data.subarray(o * length * inner, (o + 1) * length * inner), at);
        at += length * inner;
      });
    }
    return out;
  },
  gather: (x, indices, axis) => {
    const out = tensor(shapeOps.gather(x, indices, axis).dims);
    const { outer, length, inner } = around(x, axis);
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const index of indices.data) {
        if (!(index >= 0 && index < length)) {
          throw new InvalidTensorError('gather', `index ${index} is out of range for length ${length}`);
        }
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
