// DivPrune: the most diverse tokens, regardless of the question.

import { maxMin } from './greedy.js';
import { cosineMatrix } from './matrices.js';
import type { Method } from './method.js';
import { defineMethod } from './method.js';

/** Max-min diversity of the projected tokens (CVPR 2025). Unlike the official loop, never picks a token twice. */
export const divprune: Method = defineMethod({
  name: 'divprune',
  title: 'DivPrune',
  source: 'https://github.com/vbdi/divprune',
  select: async ({ vision }, { tokens, backend }) =>
    maxMin(await cosineMatrix(backend, vision, vision), tokens),
});
