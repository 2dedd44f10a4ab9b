// Matrices that several methods share: cosine similarities on a backend, and spectra.

import { type Backend, cosineSimilarity, type Float32Tensor } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
import { sum } from '@mmtok/core/internal';

// Cosine similarities on a backend, as the methods of this folder share them. No method here.

/** A dense row-major matrix. */
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

const cosines = defineProgram({
  name: 'cosines',
  inputs: { a: { dims: ['n', 'd'] }, b: { dims: ['m', 'd'] } },
  outputs: { similarity: { dims: ['n', 'm'] } },
  build: (ops, { a, b }) => ({ similarity: cosineSimilarity(ops, a, b) }),
});

/** Cosines `[n, m]` of every row of `a` with every row of `b`. */
export async function cosineMatrix(backend: Backend, a: Float32Tensor, b: Float32Tensor): Promise<Matrix> {
  const { similarity } = await backend.run(cosines, { a, b });
  return {
    data: (similarity as Float32Tensor).data,
    rows: a.dims[0] as number,
    columns: b.dims[0] as number,
  };
}

/** A tensor whose rows have lost their mean. */
export function centered({ data, dims }: Float32Tensor): Float32Tensor {
  const [n, d] = dims as readonly [number, number];
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let c = 0; c < d; c++) mean[c]! += data[i * d + c]! / n;
  return float32(
    data.map((value, at) => value - mean[at % d]!),
    dims,
  );
}

/** The mean of each row of a matrix. */
export function rowMeans({ data, rows, columns }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += data[row * columns + column]!;
    return sum / columns;
  });
}

// The singular values and left singular vectors of a matrix, which leverage scores, semantic groups and effective ranks read.

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
