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

/**
 * x · xᵀ for `x` `[n, d]`: blocks of rows that together are `[n, n]`, exactly symmetric, at 60 % of the cost of the whole product. Each
 * block of `x` is multiplied by itself and each later one; what lies left of the diagonal is transposed.
 * @param parts blocks of rows of `x`, at least 2; some may be empty.
 */
export function gramBlocks(node: RecordNode, parts: readonly SymbolicTensor[]): SymbolicTensor[] {
  const tiles = parts.map((a, i) => parts.slice(i).map((b) => node('Gemm', [a, b], { transB: { int: 1 } })));
  return parts.map((_, i) => {
    const left = tiles
      .slice(0, i)
      .map((row, above) => node('Transpose', [row[i - above] as SymbolicTensor], { perm: { ints: [1, 0] } }));
    return node('Concat', [...left, ...(tiles[i] as SymbolicTensor[])], { axis: { int: 1 } });
  });
}
