// DivPrune: the tokens that are most diverse, whatever the question.

import { defineMethod } from './define-method.js';
import { maxMin } from './max-min.js';
import type { Method } from './method.js';
import { cosineMatrix } from './similarities.js';

/** Max-min diversity of the projected tokens (CVPR 2025). Unlike the official loop it never picks a token twice. */
export const divprune: Method = defineMethod({
  name: 'divprune',
  title: 'DivPrune',
  source: 'https://github.com/vbdi/divprune',
  select: async ({ vision }, { tokens, backend }) =>
    maxMin(await cosineMatrix(backend, vision, vision), tokens),
});
