// Answers one frame at a time, at a cost that does not grow with the camera's resolution.
import { env } from '@huggingface/transformers';
import { createVlm, type Vlm } from '@mmtok/transformers';
import type { ToPage, ToWorker } from './messages.js';

const post = (message: ToPage): void => self.postMessage(message);

let vlm: Vlm | undefined;

self.onmessage = async ({ data }: MessageEvent<ToWorker>): Promise<void> => {
  try {
    if (data.type === 'load') await load(data.model, data.assets);
    if (data.type === 'frame') await answer(data.frame, data.question);
    if (data.type === 'end') {
      await vlm?.dispose();
      vlm = undefined;
      post({ type: 'ended' });
    }
  } catch (error) {
    post({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
};

async function load(model: string, assets: string): Promise<void> {
  const runtime = new URL('ort/ort-wasm-simd-threaded.asyncify', assets).href;
  Object.assign(env.backends.onnx.wasm ?? {}, {
    wasmPaths: { mjs: `${runtime}.mjs`, wasm: `${runtime}.wasm` },
  });
  env.allowLocalModels = true;
  // Each frame gets one question, so `followUps: 'reuse'`: no encoded frame is kept for later ones.
  vlm = await createVlm(model, { keep: 0.1, followUps: 'reuse' });
  encodeOneTile(vlm);
  post({ type: 'ready', family: vlm.family });
}

/** SmolVLM and Idefics 3 cut an image into up to 17 tiles and encode each; a camera needs the overview only. */
function encodeOneTile({ processor }: Vlm): void {
  const images = processor.image_processor as { do_image_splitting?: boolean } | undefined;
  if (images?.do_image_splitting === true) images.do_image_splitting = false;
}

async function answer(image: ImageData, question: string): Promise<void> {
  if (vlm === undefined) throw new Error('The model has not been loaded.');
  // The cache of keys and values is freed after the call: nothing of a frame outlives its answer.
  const { text, usage, report } = await vlm.ask({ image, question, maxNewTokens: 32 });
  post({ type: 'answer', text, usage, timings: report.timings });
}
