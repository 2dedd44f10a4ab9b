// Loads the model and answers questions, away from the page's main thread.
import { env } from '@huggingface/transformers';
import { createVlm, type Vlm } from '@mmtok/transformers';
import type { ToPage, ToWorker } from './messages';

const post = (message: ToPage): void => self.postMessage(message);

let vlm: Vlm | undefined;

self.onmessage = async ({ data }: MessageEvent<ToWorker>): Promise<void> => {
  try {
    if (data.type === 'load') await load(data.model, data.assets);
    else await ask(data);
  } catch (error) {
    post({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
};

async function load(model: string, assets: string): Promise<void> {
  // ONNX Runtime from this server instead of a CDN, and models from this server as well as from the hub.
  const runtime = `${assets}/ort/ort-wasm-simd-threaded.asyncify`;
  Object.assign(env.backends.onnx.wasm ?? {}, {
    wasmPaths: { mjs: `${runtime}.mjs`, wasm: `${runtime}.wasm` },
  });
  env.allowLocalModels = true;
  vlm = await createVlm(model);
  post({ type: 'ready', family: vlm.family });
}

async function ask({ image, question, keep }: ToWorker & { type: 'ask' }): Promise<void> {
  if (vlm === undefined) throw new Error('The model has not been loaded.');
  const stream = vlm.stream({ image, question, keep });
  for await (const text of stream) post({ type: 'piece', text });
  const { text, report, usage } = await stream.answer;
  post({ type: 'answer', text, report, usage });
}
