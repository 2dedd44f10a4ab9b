// Loads the model and answers questions, away from the page's main thread.
import { env } from '@huggingface/transformers';
import { createVlm, type Vlm } from '@mmtok/transformers';
import type { ToPage, ToWorker } from './messages.js';

const post = (message: ToPage): void => self.postMessage(message);

let vlm: Promise<Vlm> | undefined;
const running = new Map<number, AbortController>();

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  if (data.type === 'load') void load(data.model, data.assets);
  if (data.type === 'ask') void ask(data);
  if (data.type === 'stop') running.get(data.id)?.abort();
};

async function load(model: string, assets: string): Promise<void> {
  // ONNX Runtime from this server instead of a CDN, and models from this server as well as from the hub.
  const runtime = new URL('ort/ort-wasm-simd-threaded.asyncify', assets).href;
  Object.assign(env.backends.onnx.wasm ?? {}, {
    wasmPaths: { mjs: `${runtime}.mjs`, wasm: `${runtime}.wasm` },
  });
  env.allowLocalModels = true;
  vlm = createVlm(model, {
    onProgress: (info) => {
      if (info.status !== 'progress') return;
      post({ type: 'progress', file: info.file, loaded: info.loaded, total: info.total });
    },
  });
  try {
    post({ type: 'ready', family: (await vlm).family });
  } catch (error) {
    post({ type: 'failed', message: messageOf(error) });
  }
}

async function ask({ id, image, question, keep }: ToWorker & { type: 'ask' }): Promise<void> {
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const model = await vlm;
    if (model === undefined) throw new Error('The model has not been loaded.');
    const stream = model.stream({
      image,
      question,
      keep: keep === 1 ? false : keep,
      signal: stop.signal,
    });
    for await (const text of stream) post({ type: 'piece', id, text });
    const { text, report, usage } = await stream.answer;
    post({ type: 'answer', id, text, report, usage });
  } catch (error) {
    if (!stop.signal.aborted) post({ type: 'failed', id, message: messageOf(error) });
  } finally {
    running.delete(id);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
