// `tf.tidy` with the type of what comes out of it.

import type { Tfjs } from './tfjs.js';

/** Runs synchronous work and frees every tensor it made, except those in what it returns. */
export function tidy<R>(tf: Tfjs, work: () => R): R {
  return tf.tidy(work) as R;
}
