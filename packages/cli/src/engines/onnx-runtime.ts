// The very ONNX Runtime that models and backends run on. Never another copy: two in one process do not load.

import { createRequire } from 'node:module';
import { BackendUnavailableError } from '@mmtok/core';
import type { SpeedRuntime } from '@mmtok/eval';

/**
 * Loads onnxruntime-node as transformers.js does.
 * @throws BackendUnavailableError if it is not installed or does not load.
 */
export function loadOnnxRuntime(): SpeedRuntime {
  try {
    const library = createRequire(import.meta.url).resolve('@huggingface/transformers');
    return createRequire(library)('onnxruntime-node') as SpeedRuntime;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendUnavailableError(
      'onnxruntime-node',
      `it does not load (${reason})`,
      'Install it with `npm install @huggingface/transformers`; `mmtok doctor` shows what works here.',
      { cause },
    );
  }
}
