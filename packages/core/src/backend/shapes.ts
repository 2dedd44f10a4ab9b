// The operations over shapes alone: they find the shapes of a program's results, and the operation whose tensors do not fit, without
// computing anything.

import { InvalidTensorError } from '../errors.js';
import type { TensorOps } from './backend.js';

/** A tensor of which only the shape is known. NaN is an unknown length, such as the number of steps of a loop. */
export interface Shape {
  readonly dims: readonly number[];
}

const shape = (...dims: readonly number[]): Shape => ({ dims });

const show = ({ dims }: Shape): string =>
  `[${dims.map((length) => (Number.isNaN(length) ? '?' : length)).join(', ')}]`;

function fail(op: string, problem: string): never {
  throw new InvalidTensorError(op, problem);
}

const differ = (a: number, b: number): boolean => a !== b && !Number.isNaN(a) && !Number.isNaN(b);

function broadcast(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.dims.length, b.dims.length);
  const lengths = Array.from({ length: rank }, (_, axis) => {
    const x = a.dims[axis - rank + a.dims.length] ?? 1;
    const y = b.dims[axis - rank + b.dims.length] ?? 1;
    if (x !== 1 && y !== 1 && differ(x, y)) fail(op, `shapes ${show(a)} and ${show(b)} do not broadcast`);
    return x === 1 || Number.isNaN(x) ? y : x;
  });
  return shape(...lengths);
}

/** The length of an axis. */
function lengthOf(op: string, x: Shape, axis: number): number {
  return x.dims[axis] ?? fail(op, `axis ${axis} is out of range for shape ${show(x)}`);
}

function matrix(op: string, x: Shape): readonly [rows: number, columns: number] {
  const [rows, columns] = x.dims;
  if (x.dims.length === 2 && rows !== undefined && columns !== undefined) return [rows, columns];
  return fail(op, `expected a matrix, got shape ${show(x)}`);
}

function reduced(op: string, x: Shape, axis: number, keepDims = false): Shape {
  lengthOf(op, x, axis);
  return shape(...(keepDims ? x.dims.with(axis, 1) : x.dims.toSpliced(axis, 1)));
}

function highest(op: string, x: Shape, axis: number, keepDims?: boolean): Shape {
  if (lengthOf(op, x, axis) === 0) fail(op, 'the axis is empty');
  return reduced(op, x, axis, keepDims);
}

/** The operations, over {@link Shape}. Each throws InvalidTensorError, with its own name as the tensor's, if shapes do not fit. */
export const shapeOps: TensorOps<Shape> = {
  scalar: () => shape(),
  size: (x, axis) => {
    lengthOf('size', x, axis);
    return shape();
  },
  range: (x, axis) => shape(lengthOf('range', x, axis)),

  add: (a, b) => broadcast('add', a, b),
  subtract: (a, b) => broadcast('subtract', a, b),
  multiply: (a, b) => broadcast('multiply', a, b),
  divide: (a, b) => broadcast('divide', a, b),
  maximum: (a, b) => broadcast('maximum', a, b),
  exp: ({ dims }) => ({ dims }),
  log: ({ dims }) => ({ dims }),
  equal: (a, b) => broadcast('equal', a, b),
  where: (condition, a, b) => broadcast('where', broadcast('where', a, b), condition),

  matMul: (a, b, { transposeB = false } = {}) => {
    const [rows, depth] = matrix('matMul', a);
    const [first, second] = matrix('matMul', b);
    const [length, columns] = transposeB ? [second, first] : [first, second];
    if (differ(depth, length)) {
      const shapes = `${show(a)} and ${show(b)}${transposeB ? ' transposed' : ''}`;
      fail('matMul', `cannot multiply ${shapes}: rows of length ${depth}, columns of length ${length}`);
    }
    return shape(rows, columns);
  },
  transpose: (x) => shape(...matrix('transpose', x).toReversed()),
  rowNorms: (x) => shape(matrix('rowNorms', x)[0], 1),
  softmax: (x, axis) => {
    lengthOf('softmax', x, axis);
    return shape(...x.dims);
  },

  sum: (x, axis, options) => reduced('sum', x, axis, options?.keepDims),
  max: (x, axis, options) => highest('max', x, axis, options?.keepDims),
  argMax: (x, axis) => highest('argMax', x, axis),

  concat: (parts, axis) => {
    const [first] = parts;
    if (first === undefined) return fail('concat', 'there is nothing to concatenate');
    let total = 0;
    for (const part of parts) {
      total += lengthOf('concat', part, axis);
      const fits =
        part.dims.length === first.dims.length &&
        part.dims.every((length, at) => at === axis || !differ(length, first.dims[at] as number));
      if (!fits) fail('concat', `shapes ${show(first)} and ${show(part)} do not match along axis ${axis}`);
    }
    return shape(...first.dims.with(axis, total));
  },
  gather: (x, indices, axis) => {
    lengthOf('gather', x, axis);
    return shape(...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1));
  },

  loop: (count, state, body) => {
    if (count.dims.length > 0) fail('loop', `expected a count of shape [], got ${show(count)}`);
    const step = body(state);
    for (const [name, before] of Object.entries(state)) {
      const after = step.state[name] as Shape;
      const keeps =
        before.dims.length === after.dims.length &&
        before.dims.every((length, axis) => !differ(length, after.dims[axis] as number));
      if (!keeps) {
        fail('loop', `the state '${name}' of shape ${show(before)} has shape ${show(after)} after a step`);
      }
    }
    const emitted = Object.fromEntries(
      Object.entries(step.emit).map(([name, { dims }]) => [name, shape(Number.NaN, ...dims)]),
    );
    return { state, emitted: emitted as never };
  },
};
