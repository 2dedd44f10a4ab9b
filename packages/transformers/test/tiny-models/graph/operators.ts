// Short names for the operators that tiny models are made of. Each takes the graph first and returns the new value.
import type { OnnxAttribute } from '@mmtok/onnx';
import type { GraphBuilder, Value } from './graph-builder.js';

/** The type codes that `Cast` takes, https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto. */
const CAST = { float32: 1, int64: 7, bool: 9 } as const;

/** "To the end" for `slice`. */
export const END = 2 ** 31 - 1;

const axis = (value: number): Record<string, OnnxAttribute> => ({ axis: { int: value } });

export function add(g: GraphBuilder, a: Value, b: Value): Value {
  return g.op('Add', [a, b]);
}

export function multiply(g: GraphBuilder, a: Value, b: Value): Value {
  return g.op('Mul', [a, b]);
}

export function cast(g: GraphBuilder, x: Value, to: keyof typeof CAST): Value {
  return g.op('Cast', [x], { to: { int: CAST[to] } });
}

export function concat(g: GraphBuilder, values: readonly Value[], along: number): Value {
  return g.op('Concat', values, axis(along));
}

export function gather(g: GraphBuilder, table: Value, indices: Value, along = 0): Value {
  return g.op('Gather', [table, indices], axis(along));
}

/** Length of one axis, as a vector of one integer. */
export function length(g: GraphBuilder, x: Value, along: number): Value {
  const end: Record<string, OnnxAttribute> = along === -1 ? {} : { end: { int: along + 1 } };
  return g.op('Shape', [x], { start: { int: along }, ...end });
}

/** Reshapes to dims that are known (numbers) or computed (vectors of integers). */
export function reshape(g: GraphBuilder, x: Value, dims: readonly (number | Value)[]): Value {
  const parts = dims.map((dim) => (typeof dim === 'number' ? g.ints([dim]) : dim));
  const known = dims.every((dim) => typeof dim === 'number');
  return g.op('Reshape', [x, known ? g.ints(dims as number[]) : concat(g, parts, 0)]);
}

export function transpose(g: GraphBuilder, x: Value, perm: readonly number[]): Value {
  return g.op('Transpose', [x], { perm: { ints: perm } });
}

export function unsqueeze(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
  return g.op('Unsqueeze', [x, g.ints(axes)]);
}

/** A vector of one element as a scalar. */
export function scalar(g: GraphBuilder, x: Value): Value {
  return g.op('Squeeze', [x, g.ints([0])]);
}

/** `x` from `start` to `end` along one axis; bounds are numbers or vectors of one integer. */
export function slice(
  g: GraphBuilder,
  x: Value,
  along: number,
  start: number | Value,
  end: number | Value,
): Value {
  const bound = (value: number | Value): Value => (typeof value === 'number' ? g.ints([value]) : value);
  return g.op('Slice', [x, bound(start), bound(end), g.ints([along])]);
}

/** The integers from 0 to a vector of one integer, or between two of them. */
export function range(g: GraphBuilder, end: Value, start?: Value): Value {
  return g.op('Range', [start === undefined ? g.int(0) : scalar(g, start), scalar(g, end), g.int(1)]);
}

/** A fully connected layer whose nodes are called as exporters call them: `${name}/MatMul`, `${name}/Add`. */
export function linear(
  g: GraphBuilder,
  x: Value,
  name: string,
  [from, to]: readonly [from: number, to: number],
  { bias = false, gain = 1 }: { bias?: boolean; gain?: number } = {},
): Value {
  const product = g.op(
    'MatMul',
    [x, g.weight(`${name}.weight`, [from, to], gain / Math.sqrt(from))],
    {},
    `${name}/MatMul`,
  );
  return bias ? g.op('Add', [product, g.weight(`${name}.bias`, [to], 0.1)], {}, `${name}/Add`) : product;
}

/** Layer normalisation over the last axis, of length `width`. */
export function layerNorm(g: GraphBuilder, x: Value, name: string, width: number): Value {
  return g.op(
    'LayerNormalization',
    [x, g.uniform(`${name}.weight`, [width], 0.8, 1.2)],
    axis(-1),
    `${name}/LayerNormalization`,
  );
}

/** The exact GELU, spelled out as exporters of opset 17 do. */
export function gelu(g: GraphBuilder, x: Value, name: string): Value {
  const erf = g.op('Erf', [g.op('Div', [x, g.float(Math.SQRT2)], {}, `${name}/Div`)], {}, `${name}/Erf`);
  const gate = g.op('Add', [erf, g.float(1)], {}, `${name}/Add`);
  return g.op('Mul', [g.op('Mul', [x, gate], {}, `${name}/Mul`), g.float(0.5)], {}, `${name}/Mul_1`);
}

/** A feed-forward block with its residual, on `[.., width]`. */
export function feedForward(g: GraphBuilder, x: Value, name: string, width: number): Value {
  const hidden = linear(g, layerNorm(g, x, `${name}/norm`, width), `${name}/up`, [width, 2 * width], {
    bias: true,
  });
  return add(g, x, linear(g, g.op('Tanh', [hidden]), `${name}/down`, [2 * width, width]));
}

/** Sines and cosines of `positions` (any shape, integers): `[.., width]`. Any position has a code, and codes differ. */
export function positionCode(g: GraphBuilder, positions: Value, name: string, width: number): Value {
  const frequencies = g.uniform(`${name}.frequencies`, [width / 2], 0.05, 1.5);
  const angles = multiply(g, unsqueeze(g, cast(g, positions, 'float32'), [-1]), frequencies);
  return concat(g, [g.op('Sin', [angles]), g.op('Cos', [angles])], -1);
}
