// Methods on the encoder's saliency: FasterVLM keeps the most salient tokens, VisionZip and VisPruner complete them with others, and
// AgilePruner keeps them at a distance from each other.

import { descending } from './greedy.js';
import { cosineMatrix, effectiveRank, type Matrix, spectrumOf } from './matrices.js';
import { defineMethod, type Method } from './method.js';

/** The k tokens with the highest saliency, e.g. attention of the encoder's class token. */
export const fastervlm: Method = defineMethod({
  name: 'fastervlm',
  title: 'FasterVLM',
  source: 'https://github.com/Theia-4869/FasterVLM',
  needs: ['saliency'],
  select: ({ saliency }, { tokens }) => descending(saliency as Float32Array).slice(0, tokens),
});

// VisionZip, the selecting part: salient tokens, and a few spread evenly over the rest.

/** Of 64 tokens the official settings take 10 from the rest; other budgets use the same share. */
const CONTEXTUAL_SHARE = 10 / 64;

/**
 * CVPR 2025. The official method then replaces each contextual token by the mean of the dropped tokens nearest to it. That is not a
 * selection and is omitted, like the class token.
 */
export const visionzip: Method = defineMethod({
  name: 'visionzip',
  title: 'VisionZip (selection)',
  source: 'https://github.com/dvlab-research/VisionZip',
  needs: ['saliency'],
  select({ saliency }, { tokens: k }) {
    const order = descending(saliency as Float32Array);
    const contextual = Math.round(k * CONTEXTUAL_SHARE);
    const dominant = order.slice(0, k - contextual);
    const rest = order.slice(k - contextual).sort((a, b) => a - b);
    const step = Math.max(1, Math.floor(rest.length / Math.max(contextual, 1)));
    return [...dominant, ...rest.filter((_, i) => i % step === 0).slice(0, contextual)];
  },
});

// VisPruner: half of the tokens by saliency, half by dropping near-duplicates from the rest.

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
 * Repeatedly splits the tokens into two halves, alternating between them, and drops the tokens of the first half that are most similar
 * to a token of the second. As in the official code, tokens are ordered by saliency at first, and afterwards by similarity within the
 * first half.
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

// AgilePruner: salient tokens at a distance that grows with the effective rank of the image's tokens.

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
