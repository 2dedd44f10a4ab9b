// Replaces load-tfjs.ts outside Node (see "imports" in package.json): there is no module to find.

import { BackendUnavailableError } from '@mmtok/core';

/** @throws BackendUnavailableError always: in a browser the caller hands the module in. */
export function loadTfjs(): never {
  throw new BackendUnavailableError(
    'tfjs',
    'TensorFlow.js cannot be looked for in a browser',
    "Hand it in: createTfjsBackend({ tf: await import('@tensorflow/tfjs') }).",
  );
}
