// VisionZip, the selecting part: salient tokens, and a few spread evenly over the rest.

import { descending } from './greedy.js';
import type { Method } from './method.js';
import { defineMethod } from './method.js';

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
