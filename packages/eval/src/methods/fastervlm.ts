// FasterVLM: the most salient tokens.

import { defineMethod } from './define-method.js';
import { descending } from './ranking.js';
import type { Selector } from './selector.js';

/** The k tokens with the highest saliency, e.g. attention of the encoder's class token. */
export const fastervlm: Selector = defineMethod({
  name: 'fastervlm',
  title: 'FasterVLM',
  source: 'https://github.com/Theia-4869/FasterVLM',
  needs: ['saliency'],
  select: ({ saliency }, k) => descending(saliency as Float32Array).slice(0, k),
});
