// The very ONNX Runtime that transformers.js runs its sessions on. Never another copy: two in one process do not load.

import { createRequire } from 'node:module';
import { ModelLoadError } from '../errors/model-load-error.js';
import type { SessionLike } from '../upstream/types.js';

/** The class that makes sessions. */
export interface SessionFactory {
  create(source: unknown, options?: Readonly<Record<string, unknown>>): Promise<SessionLike>;
}

/**
 * The session class of transformers.js' ONNX Runtime.
 * @throws ModelLoadError if transformers.js is not installed.
 */
export function sessionFactory(): SessionFactory {
  try {
    const library = createRequire(import.meta.url).resolve('@huggingface/transformers');
    const runtime = createRequire(library)('onnxruntime-node') as {
      readonly InferenceSession: SessionFactory;
    };
    return runtime.InferenceSession;
  } catch (cause) {
    throw new ModelLoadError(
      '@huggingface/transformers',
      'the package or its onnxruntime-node is not installed; run: npm install @huggingface/transformers',
      { cause },
    );
  }
}
