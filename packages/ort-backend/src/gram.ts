// x · xᵀ as blocks of rows: each is computed from the diagonal on, and what lies left of the diagonal is copied from earlier blocks.

import type { RecordNode, SymbolicTensor } from './symbolic-tensor.js';

/**
 * Into how many blocks of rows to split a matrix. More blocks save more multiplications (at most half), but copy more and multiply
 * smaller matrices: see docs/decisions/0006. There are few different counts because each one needs a separate session.
 */
export function blocksFor(rows: number): number {
  if (rows < 384) return 1;
  return rows < 1152 ? 3 : 6;
}

/** To the end, as the end of a slice. */
const END = 2 ** 31 - 1;

/**
 * x · xᵀ for `x` `[n, d]`: blocks of rows that together are `[n, n]`, exactly symmetric, at 60 % of the cost of the whole product. Rows
 * of `x` are split into blocks; each is multiplied by itself and all later ones at once.
 * @param indexList a constant of int64, shape `[1]`.
 * @param count how many blocks, at least 2; some are empty if there are fewer rows.
 */
export function gramBlocks(
  node: RecordNode,
  indexList: (value: number) => SymbolicTensor,
  x: SymbolicTensor,
  count: number,
): SymbolicTensor[] {
  const rows = node('Gather', [node('Shape', [x]), indexList(0)], { axis: { int: 0 } });
  const size = node('Div', [node('Add', [rows, indexList(count - 1)]), indexList(count)]);
  const starts = Array.from({ length: count }, (_, i) => node('Mul', [size, indexList(i)]));
  const slice = (
    of: SymbolicTensor,
    start: SymbolicTensor,
    end: SymbolicTensor,
    axis: number,
  ): SymbolicTensor => node('Slice', [of, start, end, indexList(axis)]);
  const concat = (parts: readonly SymbolicTensor[], axis: number): SymbolicTensor =>
    node('Concat', parts, { axis: { int: axis } });

  /** Of each block of rows, the columns from the diagonal on. */
  const right = starts.map((start, i) => {
    const from = i === 0 ? x : slice(x, start, indexList(END), 0);
    const next = starts[i + 1];
    const block = next === undefined ? from : slice(x, start, next, 0);
    return node('Gemm', [block, from], { transB: { int: 1 } });
  });
  return right.map((own, i) => {
    if (i === 0) return own;
    const above = right.slice(0, i).map((earlier, e) => {
      const from = node('Sub', [starts[i] as SymbolicTensor, starts[e] as SymbolicTensor]);
      const to = i === count - 1 ? indexList(END) : node('Add', [from, size]);
      return slice(earlier, from, to, 1);
    });
    const mirrored = above.length === 1 ? (above[0] as SymbolicTensor) : concat(above, 0);
    return concat([node('Transpose', [mirrored], { perm: { ints: [1, 0] } }), own], 1);
  });
}
