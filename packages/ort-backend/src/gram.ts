// x · xᵀ at 60 % of its cost: the product is symmetric, so only blocks on and above the diagonal are multiplied.

import type { OnnxAttribute } from '@mmtok/onnx';

/** More blocks save more multiplications (at most half), but copy more and multiply smaller matrices. */
const BLOCKS = 6;
/** Smaller blocks cost more than they save; for small n the last blocks are empty. */
const LEAST_ROWS = 192;

/** The parts of a recording that this needs; its tensors are `T`. */
export interface NodeRecorder<T> {
  node(opType: string, inputs: readonly T[], attributes?: Readonly<Record<string, OnnxAttribute>>): T;
  /** A constant of int64, shape `[1]`. */
  indexList(value: number): T;
}

/**
 * The product of `x` `[n, d]` with its own transpose: `[n, n]`, exactly symmetric. Rows are split into six blocks; each is
 * multiplied by itself and every later one, and blocks left of the diagonal are copied from their mirror image.
 */
export function gram<T>({ node, indexList }: NodeRecorder<T>, x: T): T {
  const rows = node('Gather', [node('Shape', [x]), indexList(0)], { axis: { int: 0 } });
  const even = node('Div', [node('Add', [rows, indexList(BLOCKS - 1)]), indexList(BLOCKS)]);
  const size = node('Max', [even, indexList(LEAST_ROWS)]);
  const start = (block: number): T => node('Mul', [size, indexList(block)]);
  const blocks = Array.from({ length: BLOCKS }, (_, i) =>
    node('Slice', [x, start(i), start(i + 1), indexList(0)]),
  );

  const tiles: T[][] = blocks.map(() => []);
  blocks.forEach((block, i) => {
    blocks.slice(i).forEach((later, offset) => {
      const j = i + offset;
      const tile = node('Gemm', [block, later], { transB: { int: 1 } });
      (tiles[i] as T[])[j] = tile;
      if (j > i) (tiles[j] as T[])[i] = node('Transpose', [tile], { perm: { ints: [1, 0] } });
    });
  });
  const bands = tiles.map((row) => node('Concat', row, { axis: { int: 1 } }));
  return node('Concat', bands, { axis: { int: 0 } });
}
