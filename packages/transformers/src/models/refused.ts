// Models of transformers.js with a language model but nothing to prune, so that the refusal can say why.

import type { RefusedFamily } from './family.js';

export const refused: readonly RefusedFamily[] = [
  {
    status: 'refused',
    name: 'Ultravox, Voxtral, Granite Speech',
    modelTypes: ['ultravox', 'voxtral', 'voxtral_realtime', 'granite_speech'],
    reason: 'it hears sounds and takes no images, and only vision tokens are pruned here',
  },
  {
    status: 'refused',
    name: 'TrOCR, Donut, captioners',
    modelTypes: ['vision-encoder-decoder'],
    reason:
      'its decoder looks at the image by cross-attention only, so that fewer vision tokens would save next to nothing',
  },
];
