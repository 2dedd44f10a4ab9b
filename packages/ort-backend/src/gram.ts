// x · xᵀ at 60 % of its cost: the product is symmetric, so only blocks on and above the diagonal are multiplied.

import type { OnnxAttribute } from '@mmtok/onnx';

/**
 * How many blocks of rows a matrix is best split into. More blocks save more multiplications (at most half), but copy more and
 * multiply smaller matrices: see docs/decisions/0006. Few different counts, because each is a session of its own.
 */
export function blocksFor(rows: number): number {
  if (rows < 384) return 1;
  return rows < 1152 ? 3 : 6;
}

/** The parts of a recording that this needs; its tensors are `T`. */
export interface NodeRecorder<T> {
  node(opType: string, inputs: readonly T[], attributes?: Readonly<Record<string, OnnxAttribute>>): T;
  /** A constant of int64, shape `[1]`. */
  indexList(value: number): T;
}

/**
 * The product of `x` `[n, d]` with its own transpose: `[n, n]`, exactly symmetric. Rows are split into blocks; each is multiplied
 * by itself and every later one, and blocks left of the diagonal are copied from their mirror image.
 * @param count how many blocks; some are empty if there are fewer rows.
 */
export function gram<T>({ node, indexList }: NodeRecorder<T>, x: T, count: number): T {
  const rows = node('Gather', [node('Shape', [x]), indexList(0)], { axis: { int: 0 } });
  const size = node('Div', [node('Add', [rows, indexList(count - 1)]), indexList(count)]);
  const start = (block: number): T => node('Mul', [size, indexList(block)]);
  const blocks = Array.from({ length: count }, (_, i) =>
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
