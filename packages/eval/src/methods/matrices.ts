// Matrices that several methods share: cosine similarities on a backend, relevance to the question, and spectra.

import { type Backend, cosineSimilarity, type Float32Tensor } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
import { sum } from '@mmtok/core/internal';
import type { MethodFeatures } from './method.js';

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

/** Cosines `[n, m]` between the rows of `a` and the rows of `b`. */
export async function cosineMatrix(backend: Backend, a: Float32Tensor, b: Float32Tensor): Promise<Matrix> {
  const { similarity } = await backend.run(cosines, { a, b });
  return {
    data: (similarity as Float32Tensor).data,
    rows: a.dims[0] as number,
    columns: b.dims[0] as number,
  };
}

/**
 * The relevance of each token: its mean cosine to the question's tokens, from 0 to 1.
 * @param sign The official code uses −1, which fits CLIP's embeddings.
 */
export async function relevance(
  { vision, text }: MethodFeatures,
  backend: Backend,
  sign: 1 | -1,
  epsilon = 0,
): Promise<Float64Array> {
  const means = rowMeans(await cosineMatrix(backend, vision, text as Float32Tensor));
  return minMax(
    means.map((mean) => sign * mean),
    epsilon,
  );
}

/** Scores rescaled to 0 to 1; all 1 if they are equal. */
export function minMax(scores: Float64Array, epsilon = 0): Float64Array {
  const low = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const high = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  return scores.map((score) => (high > low ? (score - low + epsilon) / (high - low) : 1));
}

/** The tensor minus the mean of its rows. */
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

// Spectra, which leverage scores, semantic groups and effective ranks use.

/** Singular values and left singular vectors of a matrix with n rows, largest first. */
export interface Spectrum {
  /** Squared singular values, ≥ 0. */
  readonly energies: readonly number[];
  /** Entry `row` of left singular vector `component`. */
  vectorAt(row: number, component: number): number;
}

/** The spectrum of a row-major `[n, d]` matrix, from the eigenvectors of the smaller Gram matrix. */
export async function spectrumOf(data: ArrayLike<number>, n: number, d: number): Promise<Spectrum> {
  const { EigenvalueDecomposition, Matrix } = await import('ml-matrix');
  const rows = new Float64Array(data);
  const isTall = n > d;
  const size = Math.min(n, d);
  const gram = Matrix.from1DArray(size, size, isTall ? columnGram(rows, n, d) : rowGram(rows, n, d));
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const order = realEigenvalues
    .map((_, at) => at)
    .sort((a, b) => (realEigenvalues[b] as number) - (realEigenvalues[a] as number));
  const energies = order.map((at) => Math.max(0, realEigenvalues[at] as number));
  /** Left singular vectors that were asked for, by component. */
  const known = new Map<number, Float64Array>();
  const vectorOf = (component: number): Float64Array => {
    const vector = eigenvectorMatrix.getColumn(order[component] as number);
    if (!isTall) return Float64Array.from(vector);
    // Eigenvectors of VᵀV are right singular vectors. V times them, divided by the singular value, gives the left ones.
    const energy = energies[component] as number;
    return Float64Array.from({ length: n }, (_, row) => {
      if (energy === 0) return 0;
      let dot = 0;
      for (let c = 0; c < d; c++) dot += rows[row * d + c]! * vector[c]!;
      return dot / Math.sqrt(energy);
    });
  };
  return {
    energies,
    vectorAt(row, component) {
      const vector = known.get(component) ?? vectorOf(component);
      known.set(component, vector);
      return vector[row] as number;
    },
  };
}

/** VᵀV of a row-major `[n, d]` matrix V: `[d, d]`. */
function columnGram(rows: Float64Array, n: number, d: number): Float64Array {
  const gram = new Float64Array(d * d);
  for (let i = 0; i < n; i++) {
    const row = rows.subarray(i * d, (i + 1) * d);
    for (let a = 0; a < d; a++) {
      const factor = row[a]!;
      for (let b = a; b < d; b++) gram[a * d + b]! += factor * row[b]!;
    }
  }
  return mirrored(gram, d);
}

/** VVᵀ of a row-major `[n, d]` matrix V: `[n, n]`. */
function rowGram(rows: Float64Array, n: number, d: number): Float64Array {
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      let dot = 0;
      for (let c = 0; c < d; c++) dot += rows[i * d + c]! * rows[j * d + c]!;
      gram[i * n + j] = dot;
    }
  }
  return mirrored(gram, n);
}

/** Copies the upper triangle of a square matrix to the lower one. */
function mirrored(matrix: Float64Array, size: number): Float64Array {
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i]!;
  return matrix;
}

/** exp of the entropy of the normalized singular values: the number of directions the rows use (Roy and Vetterli 2007). */
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
