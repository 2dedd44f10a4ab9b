// Replaces load-onnxruntime-node.ts outside Node (see "imports" in package.json), where no engine can be found.

import { BackendUnavailableError } from '@mmtok/core';
import type { OrtModule } from './ort-api.js';

/** @throws BackendUnavailableError always: in a browser the caller passes the engine in. */
export function loadDefaultOnnxRuntime(): OrtModule {
  throw new BackendUnavailableError(
    'ort',
    'onnxruntime-node does not run in browsers',
    "Pass the loaded model, createOrtBackend({ model }), or the web build: createOrtBackend({ ort: await import('onnxruntime-web') }).",
  );
}
