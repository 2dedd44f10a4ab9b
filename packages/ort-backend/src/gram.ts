// x · xᵀ at two thirds of its cost: the product is symmetric, so only blocks on and above the diagonal are multiplied.

import type { OnnxAttribute } from '@mmtok/onnx';
import type { SymbolicTensor } from './symbolic-ops.js';

/** More blocks save more multiplications (a half at most), but copy more and multiply smaller matrices. */
const BLOCKS = 4;

/** What is needed of a recording. */
export interface NodeRecorder {
  node(
    opType: string,
    inputs: readonly SymbolicTensor[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): SymbolicTensor;
  /** A constant of int64, shape `[1]`. */
  indexList(value: number): SymbolicTensor;
}

/**
 * The product of `x` `[n, d]` with its own transpose: `[n, n]`, exactly symmetric. Rows are cut into four blocks; each
 * is multiplied with itself and the rows below it, and what lies left of the diagonal is copied from its mirror image.
 * Blocks may be empty where n is small.
 */
export function gram({ node, indexList }: NodeRecorder, x: SymbolicTensor): SymbolicTensor {
  const rows = node('Gather', [node('Shape', [x]), indexList(0)], { axis: { int: 0 } });
  const size = node('Div', [node('Add', [rows, indexList(BLOCKS - 1)]), indexList(BLOCKS)]);
  const at = (block: number): SymbolicTensor => node('Mul', [size, indexList(block)]);
  const slice = (
    of: SymbolicTensor,
    axis: number,
    from: SymbolicTensor,
    to: SymbolicTensor,
  ): SymbolicTensor => node('Slice', [of, from, to, indexList(axis)]);

  // products[i]: block i with the rows from its own on; its columns are counted from the start of block i.
  const products = Array.from({ length: BLOCKS }, (_, i) => {
    const block = slice(x, 0, at(i), i + 1 < BLOCKS ? at(i + 1) : rows);
    const rest = i === 0 ? x : slice(x, 0, at(i), rows);
    return node('Gemm', [block, rest], { transB: { int: 1 } });
  });
  const bands = products.map((product, i) => {
    const mirrored = products
      .slice(0, i)
      .map((above, j) => slice(above, 1, at(i - j), at(i - j + 1)))
      .map((tile) => node('Transpose', [tile], { perm: { ints: [1, 0] } }));
    return i === 0 ? product : node('Concat', [...mirrored, product], { axis: { int: 1 } });
  });
  return node('Concat', bands, { axis: { int: 0 } });
}
