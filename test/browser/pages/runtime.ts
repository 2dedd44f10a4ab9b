// transformers.js on a page under test: no network, and one thread, as four on two cores only get in each other's way.

import { env } from '@huggingface/transformers';

/** Points ONNX Runtime to the site's own copy. */
export function useOwnRuntime(): void {
  Object.assign(env.backends.onnx.wasm ?? {}, { wasmPaths: '/onnxruntime/', numThreads: 1 });
}
