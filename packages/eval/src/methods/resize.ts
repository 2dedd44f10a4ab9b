// The control that every pruning method must beat: the same number of vision tokens from a smaller picture.

import type { Method } from './method.js';
import { MethodError } from './method-error.js';

/**
 * Hands the model a smaller picture that costs at most as many vision tokens as the other methods keep, and keeps all of
 * them. It saves encoder time as well. The paper compares with it where it lowers the resolution.
 */
export const resize: Method = {
  name: 'resize',
  title: 'Smaller picture',
  source: 'https://arxiv.org/abs/2508.18264',
  needs: ['resolution'],
  resizes: true,
  async select() {
    throw new MethodError('resize', 'it chooses no tokens; the runner makes the picture smaller instead');
  },
};
