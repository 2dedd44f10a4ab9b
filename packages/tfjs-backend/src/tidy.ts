// `tf.tidy` with the type of its result.

import type { Tfjs } from './tfjs.js';

/** Runs synchronous work and frees every tensor it made, except those in what it returns. */
export function tidy<R>(tf: Tfjs, work: () => R): R {
  return tf.tidy(work) as R;
}
