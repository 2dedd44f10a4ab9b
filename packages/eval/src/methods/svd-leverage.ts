// SVD leverage: tokens with the largest projection onto the subspace that holds most of the features' energy.

import type { Float32Tensor } from '@mmtok/core';
import { sum } from '@mmtok/core/internal';
import { descending } from './greedy.js';
import { spectrumOf } from './matrices.js';
import { defineMethod, type Method } from './method.js';

/** Share of the energy in the subspace. */
const ENERGY = 0.9;

/**
 * SVD-Prune: the k highest leverage scores ‖U_i,1:r‖² / r, with r the smallest rank that holds 90 % of the energy of the projected
 * tokens. There is no official code; the threshold comes from a third-party port.
 */
export const svdLeverage: Method = defineMethod({
  name: 'svd-leverage',
  title: 'SVD leverage',
  source: 'https://arxiv.org/abs/2604.11530',
  select: async ({ vision }, { tokens }) => descending(await leverage(vision)).slice(0, tokens),
});

async function leverage({ data, dims }: Float32Tensor): Promise<Float64Array> {
  const [n, d] = dims as readonly [number, number];
  const spectrum = await spectrumOf(data, n, d);
  const total = sum(spectrum.energies);
  const scores = new Float64Array(n);
  let held = 0;
  for (const [component, energy] of spectrum.energies.entries()) {
    if (held >= ENERGY * total) break;
    held += energy;
    for (let i = 0; i < n; i++) scores[i]! += spectrum.vectorAt(i, component) ** 2;
  }
  return scores;
}
