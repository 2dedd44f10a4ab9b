// Choose where similarities are computed. All backends keep the same tokens; they differ in speed and in what they need.

import { createReferenceBackend, MmtokError, selectTokens } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import { createTfjsBackend } from '@mmtok/tfjs-backend';
import { vision, words } from './scene.js';

/** @type {Record<string, () => Promise<import('@mmtok/core').Backend>>} */
const choices = {
  // Plain JavaScript without dependencies. Slow for thousands of tokens.
  reference: async () => createReferenceBackend(),
  // onnxruntime-node: the fastest on a CPU. From device: ['cuda', 'cpu'], the first that works is used.
  'ONNX Runtime': () => createOrtBackend({ device: 'cpu' }),
  // tfjs-node-gpu, tfjs-node, or plain tfjs, whichever is installed; or pass your own as { tf }.
  'TensorFlow.js': () => createTfjsBackend(),
};

for (const [title, create] of Object.entries(choices)) {
  try {
    const backend = await create();
    const { indices } = await selectTokens({ backend, vision, text: [words.plant], budget: { tokens: 8 } });
    console.log(`${title} (${backend.name} on ${backend.device}) keeps ${indices.join(', ')}`);
    await backend.dispose();
  } catch (error) {
    // The error of a missing engine says how to install it.
    if (!MmtokError.isInstance(error, 'MMTOK_BACKEND_UNAVAILABLE')) throw error;
    console.log(`${title}: ${error.message}`);
  }
}
