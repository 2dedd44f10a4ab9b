// The singular values and left singular vectors of a matrix, which leverage scores, semantic groups and effective ranks read.

import { sum } from '@mmtok/core/internal';

/** Of a matrix of n rows; largest singular value first. */
export interface Spectrum {
  /** Squared singular values, none below 0. */
  readonly energies: readonly number[];
  /** Entry of the left singular vector `component` at `row`. */
  vectorAt(row: number, component: number): number;
}

/** The spectrum of `[n, d]` row-major numbers, by the eigenvectors of the smaller of the two Gram matrices. */
export async function spectrumOf(data: ArrayLike<number>, n: number, d: number): Promise<Spectrum> {
  const { EigenvalueDecomposition, Matrix } = await import('ml-matrix');
  const rows = new Matrix(n, d);
  for (let i = 0; i < n; i++) for (let c = 0; c < d; c++) rows.set(i, c, data[i * d + c]!);
  const isTall = n > d;
  const gram = isTall ? rows.transpose().mmul(rows) : rows.mmul(rows.transpose());
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const order = realEigenvalues
    .map((_, at) => at)
    .sort((a, b) => (realEigenvalues[b] as number) - (realEigenvalues[a] as number));
  const energies = order.map((at) => Math.max(0, realEigenvalues[at] as number));
  // Of VᵀV the eigenvectors are the right ones; V times them, by the root of their energy, are the left ones.
  const vectors = isTall ? rows.mmul(eigenvectorMatrix) : eigenvectorMatrix;
  return {
    energies,
    vectorAt(row, component) {
      const value = vectors.get(row, order[component] as number);
      const energy = energies[component] as number;
      if (!isTall) return value;
      return energy > 0 ? value / Math.sqrt(energy) : 0;
    },
  };
}

/** exp of the entropy of the normalized singular values: how many directions the rows really use (Roy and Vetterli 2007). */
export function effectiveRank({ energies }: Spectrum): number {
  const values = energies.map(Math.sqrt);
  const total = sum(values);
  if (total === 0) return 1;
  let entropy = 0;
  for (const value of values) {
    const share = value / total;
    if (share > 0) entropy -= share * Math.log(share);
  }
  return Math.exp(entropy);
}
