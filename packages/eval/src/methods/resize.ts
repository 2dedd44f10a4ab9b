// The control that every pruning method must beat: the same number of vision tokens from a smaller image.

import { MethodError } from '../errors.js';
import type { Method } from './method.js';

/**
 * Gives the model a smaller image that costs at most as many vision tokens as the other methods keep, and keeps all of them. It
 * saves encoder time as well.
 */
export const resize: Method = {
  name: 'resize',
  title: 'Smaller image',
  source: 'https://arxiv.org/abs/2508.18264',
  needs: ['resolution'],
  resizes: true,
  async select() {
    throw new MethodError('resize', 'it selects no tokens; the runner makes the image smaller instead');
  },
};
