// AgilePruner: salient tokens at a distance from each other. The distance grows with the effective rank of the image's tokens.

import { descending } from './greedy.js';
import { cosineMatrix, effectiveRank, spectrumOf } from './matrices.js';
import { defineMethod, type Method } from './method.js';

/** Growth of the distance from one pick to the next for an image of average effective rank. */
const STEP = 0.01;
/**
 * Our own constants: the average effective rank over images, as a share of the highest possible rank, and the largest distance.
 * The authors publish no code, and no constants for encoders other than theirs.
 */
const AVERAGE_SHARE = 0.25;
const LARGEST = 0.5;

/** ICLR 2026, the rule of its minimal method. Tokens too close to a pick come last, by saliency, if the budget needs them. */
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
