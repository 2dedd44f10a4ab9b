// TensorFlow.js's WASM backend on a minified, isolated page, where its threads do not start.

import { createTfjsBackend } from '@mmtok/tfjs-backend';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

/** What came of making a backend. */
export interface TfjsReply {
  readonly device?: string;
  readonly code?: string;
  readonly message?: string;
}

/** Makes a backend; `threads` says whether TensorFlow.js may start them. */
export async function makeBackend({
  threads,
  timeoutMs,
}: {
  threads: boolean;
  timeoutMs: number;
}): Promise<TfjsReply> {
  setWasmPaths('/tfjs-wasm/');
  if (!threads) tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  try {
    const backend = await createTfjsBackend({ tf, tfBackend: 'wasm', timeoutMs });
    return { device: backend.device };
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    return { message, ...(code !== undefined && { code }) };
  }
}
