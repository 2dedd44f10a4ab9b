// Attention between given queries, keys and values.
import { HEAD_DIM, HEADS, HIDDEN } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { linear, multiply, reshape, transpose } from '../graph/operators.js';

/** Projects `[batch, n, HIDDEN]` and splits it into heads: `[batch, HEADS, n, HEAD_DIM]`. */
export function heads(g: GraphBuilder, x: Value, name: string): Value {
  const projected = linear(g, x, name, [HIDDEN, HIDDEN], { gain: 1.5 });
  return transpose(g, reshape(g, projected, [0, 0, HEADS, HEAD_DIM]), [0, 2, 1, 3]);
}

/** Joins the heads of `[batch, HEADS, n, HEAD_DIM]` and projects them: `[batch, n, HIDDEN]`. */
export function joinHeads(g: GraphBuilder, x: Value, name: string): Value {
  const joined = reshape(g, transpose(g, x, [0, 2, 1, 3]), [0, 0, HIDDEN]);
  return linear(g, joined, name, [HIDDEN, HIDDEN]);
}

/**
 * Softmax attention over heads. `mask` is boolean, broadcasts to `[batch, HEADS, queries, keys]` and is true where a
 * query may look.
 */
export function attend(g: GraphBuilder, query: Value, key: Value, value: Value, mask?: Value): Value {
  const products = g.op('MatMul', [query, transpose(g, key, [0, 1, 3, 2])]);
  const scores = multiply(g, products, g.float(1 / Math.sqrt(HEAD_DIM)));
  const masked = mask === undefined ? scores : g.op('Where', [mask, scores, g.float(-1e9)]);
  return g.op('MatMul', [g.op('Softmax', [masked], { axis: { int: -1 } }), value]);
}
