// VisPruner: half of the tokens by saliency, half by dropping near-duplicates from the rest.

import { descending } from './greedy.js';
import { cosineMatrix, type Matrix } from './matrices.js';
import type { Method } from './method.js';
import { defineMethod } from './method.js';

/** Tokens dropped per round. */
const DROPPED_PER_ROUND = 8;

/** ICCV 2025, with half of the budget for salient tokens. */
export const vispruner: Method = defineMethod({
  name: 'vispruner',
  title: 'VisPruner',
  source: 'https://github.com/Theia-4869/VisPruner',
  needs: ['saliency'],
  async select({ visionFeatures, saliency }, { tokens: k, backend }) {
    const order = descending(saliency as Float32Array);
    const salient = order.slice(0, Math.floor(k / 2));
    const rest = order.slice(salient.length);
    const cosines = await cosineMatrix(backend, visionFeatures, visionFeatures);
    return [...salient, ...diverse(rest, k - salient.length, cosines)];
  },
});

/**
 * Splits tokens into every other one and the rest, drops of the first those most like one of the rest, and repeats. The order of
 * tokens decides the splits: by saliency at first, then the least unique of the first part before the rest, as officially.
 */
function diverse(tokens: readonly number[], count: number, { data, columns }: Matrix): number[] {
  if (count === 0) return [];
  let left = [...tokens];
  while (left.length > count) {
    const others = left.filter((_, i) => i % 2 === 1);
    const firsts = left.filter((_, i) => i % 2 === 0);
    const closeness = firsts.map((token) =>
      others.reduce(
        (most, other) => Math.max(most, data[token * columns + other]!),
        Number.NEGATIVE_INFINITY,
      ),
    );
    const drops = Math.min(DROPPED_PER_ROUND, left.length - count, firsts.length);
    const kept = descending(closeness)
      .slice(drops)
      .map((i) => firsts[i]!);
    left = [...kept, ...others];
  }
  return left;
}
