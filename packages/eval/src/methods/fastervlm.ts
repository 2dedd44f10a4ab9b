// FasterVLM: the most salient tokens.

import { descending } from './greedy.js';
import type { Method } from './method.js';
import { defineMethod } from './method.js';

/** The k tokens with the highest saliency, e.g. attention of the encoder's class token. */
export const fastervlm: Method = defineMethod({
  name: 'fastervlm',
  title: 'FasterVLM',
  source: 'https://github.com/Theia-4869/FasterVLM',
  needs: ['saliency'],
  select: ({ saliency }, { tokens }) => descending(saliency as Float32Array).slice(0, tokens),
});
