// Replaces load-tfjs.ts outside Node (see "imports" in package.json), where no module can be found.

import { BackendUnavailableError } from '@mmtok/core';

/** @throws BackendUnavailableError always: in a browser the caller passes the module in. */
export function loadTfjs(): never {
  throw new BackendUnavailableError(
    'tfjs',
    'TensorFlow.js cannot be located in a browser',
    "Pass it in: createTfjsBackend({ tf: await import('@tensorflow/tfjs') }).",
  );
}
