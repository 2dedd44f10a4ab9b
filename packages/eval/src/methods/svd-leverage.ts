// SVD leverage: tokens that reach furthest into the subspace that holds most of the features' energy.

import type { Float32Tensor } from '@mmtok/core';
import { defineMethod } from './define-method.js';
import { descending } from './ranking.js';
import type { Selector } from './selector.js';

/** Share of the energy that the subspace holds. */
const ENERGY = 0.9;

/**
 * SVD-Prune: the k highest leverage scores ‖U_i,1:r‖² / r, with r the smallest rank that holds 90 % of the energy of
 * the projected tokens. There is no official code; the threshold is that of a third-party port.
 */
export const svdLeverage: Selector = defineMethod({
  name: 'svd-leverage',
  title: 'SVD leverage',
  source: 'https://arxiv.org/abs/2604.11530',
  select: async ({ vision }, k) => descending(await leverage(vision)).slice(0, k),
});

/** Leverage of each of n rows of d numbers, from the eigenvectors of the smaller of the two Gram matrices. */
async function leverage({ data, dims }: Float32Tensor): Promise<Float64Array> {
  const { EigenvalueDecomposition, Matrix } = await import('ml-matrix');
  const [n, d] = dims as readonly [number, number];
  const rows = new Matrix(n, d);
  for (let i = 0; i < n; i++) for (let c = 0; c < d; c++) rows.set(i, c, data[i * d + c]!);
  const isTall = n > d;
  const gram = isTall ? rows.transpose().mmul(rows) : rows.mmul(rows.transpose());
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const energies = realEigenvalues.map((value) => Math.max(0, value));
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  // Of VᵀV the eigenvectors are the right ones; V times them, by the root of their energy, are the left ones.
  const vectors = isTall ? rows.mmul(eigenvectorMatrix) : eigenvectorMatrix;
  const scores = new Float64Array(n);
  let held = 0;
  for (const at of descending(energies)) {
    if (held >= ENERGY * total) break;
    const energy = energies[at]!;
    held += energy;
    const scale = isTall ? 1 / energy : 1;
    for (let i = 0; i < n; i++) scores[i]! += vectors.get(i, at) ** 2 * scale;
  }
  return scores;
}
