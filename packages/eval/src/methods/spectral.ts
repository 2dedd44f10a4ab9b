// Methods on the singular value decomposition of the tokens: SVD leverage ranks tokens by their projection onto the leading components;
// PruneSID groups them by component.

import type { Float32Tensor } from '@mmtok/core';
import { sum } from '@mmtok/core/internal';
import { descending } from './greedy.js';
import { cosineMatrix, type Matrix, spectrumOf } from './matrices.js';
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

// PruneSID removes near-duplicates from its groups, and splits the budget among groups by the number of survivors.

const SOURCE = 'https://github.com/ZhengyaoFang/PruneSID';

/** ICLR 2026, as published for Qwen: tokens of a group are ranked by their share in its component. */
export const prunesid: Method = defineMethod({
  name: 'prunesid',
  title: 'PruneSID',
  source: SOURCE,
  async select({ vision }, { tokens: k, backend }) {
    const n = vision.dims[0] as number;
    const groups = await groupsOf(vision, Math.max(Math.floor(k / 4), 4));
    const cosines = await cosineMatrix(backend, vision, vision);
    // The official mean of the upper triangle divides by all n² entries.
    const mean = upperSum(cosines, 0) / (n * n);
    const threshold = Math.max(k / (n / 18), 1) * mean;
    return share(groups, cosines, threshold, k);
  },
});

/**
 * As published for LLaVA: features from before the projector, ranked by saliency. The official budget includes the class token,
 * which is not a vision token here.
 */
export const prunesidSaliency: Method = defineMethod({
  name: 'prunesid-saliency',
  title: 'PruneSID (saliency)',
  source: SOURCE,
  needs: ['saliency'],
  async select({ visionFeatures, saliency }, { tokens: k, backend }) {
    const n = visionFeatures.dims[0] as number;
    const groups = await groupsOf(visionFeatures, Math.max(Math.floor(k / 4), 1));
    const cosines = await cosineMatrix(backend, visionFeatures, visionFeatures);
    const pairs = (n * (n - 1)) / 2;
    const mean = pairs === 0 ? 0 : upperSum(cosines, 1) / pairs;
    const ranked = groups.map((group) =>
      group.map(({ token }) => ({ token, score: saliency?.[token] ?? 0 })),
    );
    return share(ranked, cosines, (k / 32) * mean, k);
  },
});

interface Member {
  readonly token: number;
  readonly score: number;
}

/** Each token goes to the component, among the first `count`, in which its share is largest; scores are those shares. */
async function groupsOf({ data, dims }: Float32Tensor, count: number): Promise<Member[][]> {
  const [n, d] = dims as readonly [number, number];
  const centered = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    const row = centered.subarray(i * d, (i + 1) * d);
    for (let c = 0; c < d; c++) row[c] = 1 / (1 + Math.exp(-data[i * d + c]!));
    const mean = sum(row) / d;
    for (let c = 0; c < d; c++) row[c]! -= mean;
  }
  const spectrum = await spectrumOf(centered, n, d);
  const components = Math.min(count, spectrum.energies.length);
  const groups = Array.from({ length: components }, (): Member[] => []);
  for (let token = 0; token < n; token++) {
    let best = 0;
    let score = -1;
    for (let component = 0; component < components; component++) {
      const part = Math.abs(spectrum.vectorAt(token, component));
      if (part > score) [best, score] = [component, part];
    }
    groups[best]!.push({ token, score });
  }
  return groups;
}

function upperSum({ data, rows }: Matrix, diagonal: 0 | 1): number {
  let total = 0;
  for (let i = 0; i < rows; i++) for (let j = i + diagonal; j < rows; j++) total += data[i * rows + j]!;
  return total;
}

/** Drops near-duplicates within groups, sets quotas, and takes the best of each group. */
function share(groups: readonly Member[][], cosines: Matrix, threshold: number, k: number): number[] {
  const ranked = groups.map((group) => withoutDuplicates(group, cosines, threshold));
  const quotas = quotasOf(
    ranked.map(({ order }) => order.length),
    ranked.map(({ survivors }) => survivors),
    k,
  );
  return ranked.flatMap(({ order }, group) => order.slice(0, quotas[group])).slice(0, k);
}

/** A group's tokens: first those that resemble no better one, then the others, each by descending score. */
function withoutDuplicates(
  group: readonly Member[],
  { data, columns }: Matrix,
  threshold: number,
): { readonly order: readonly number[]; readonly survivors: number } {
  const members = descending(group.map(({ score }) => score)).map((at) => group[at]!.token);
  const kept: number[] = [];
  const dropped: number[] = [];
  for (const token of members) {
    const isDuplicate = kept.some((other) => data[other * columns + token]! > threshold);
    (isDuplicate ? dropped : kept).push(token);
  }
  return { order: [...kept, ...dropped], survivors: kept.length };
}

/** Tokens per group: proportional to its survivors, at least one, up to a bound that grows with k. */
function quotasOf(sizes: readonly number[], survivors: readonly number[], k: number): number[] {
  const lower = sizes.map((size) => Math.min(1, size));
  let upper = sizes.map((size, group) => Math.min(5 * Math.ceil(k / 64), size, survivors[group]!));
  while (sum(upper) < Math.min(k, sum(sizes)))
    upper = upper.map((bound, group) => Math.min(bound + 1, sizes[group]!));
  const others = Math.max(0, k - sum(lower));
  const total = Math.max(1, sum(survivors));
  let reached = 0;
  let given = 0;
  const quotas = sizes.map((_, group) => {
    reached += survivors[group]!;
    const until = roundHalfEven((reached / total) * others);
    const own = until - given;
    given = until;
    return Math.min(lower[group]! + own, upper[group]!);
  });
  for (const group of descending(survivors)) {
    const missing = others + sum(lower) - sum(quotas);
    quotas[group]! += Math.min(upper[group]! - quotas[group]!, Math.max(0, missing));
  }
  return quotas;
}

/** Rounds like torch. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
