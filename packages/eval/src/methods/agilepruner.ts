// AgilePruner: salient tokens that keep a distance from each other, the larger the more directions the picture's tokens use.

import { descending } from './greedy.js';
import { cosineMatrix, effectiveRank, spectrumOf } from './matrices.js';
import type { Method } from './method.js';
import { defineMethod } from './method.js';

/** Growth of the distance from one pick to the next, for a picture of average effective rank. */
const STEP = 0.01;
/**
 * The average over pictures, as a share of the rank that features can have, and the largest distance. The authors publish
 * neither code nor these constants for other encoders than theirs; these are ours.
 */
const AVERAGE_SHARE = 0.25;
const LARGEST = 0.5;

/** ICLR 2026, the rule of its minimal method. Tokens too close to a pick come last, by saliency, where the budget asks for them. */
export const agilepruner: Method = defineMethod({
  name: 'agilepruner',
  title: 'AgilePruner',
  source: 'https://arxiv.org/abs/2603.01236',
  needs: ['saliency'],
  async select({ visionFeatures, saliency }, { tokens: k, backend }) {
    const [n, d] = visionFeatures.dims as readonly [number, number];
    const rank = effectiveRank(await spectrumOf(visionFeatures.data, n, d));
    const step = (STEP * rank) / Math.max(1, AVERAGE_SHARE * Math.min(n, d));
    const { data } = await cosineMatrix(backend, visionFeatures, visionFeatures);
    const picks: number[] = [];
    const tooClose: number[] = [];
    for (const token of descending(saliency as Float32Array)) {
      const distance = Math.min(LARGEST, picks.length * step);
      const isClose = picks.some((pick) => 1 - data[pick * n + token]! < distance);
      (isClose ? tooClose : picks).push(token);
      if (picks.length === k) break;
    }
    return [...picks, ...tooClose].slice(0, k);
  },
});
