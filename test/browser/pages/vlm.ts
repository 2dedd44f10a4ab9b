// What a page and a worker do with createVlm: a tiny model from this site, asked with Node's pixels and with a canvas.

import { env, Tensor } from '@huggingface/transformers';
import { createVlm, type PruneReport } from '@mmtok/transformers';

/** A tensor as it travels. */
export interface PlainTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** Which model, and what to ask it. */
export interface VlmRequest {
  readonly model: string;
  /** Inputs as Node's processor made them. */
  readonly inputs: Readonly<Record<string, PlainTensor>>;
  readonly question: string;
}

/** What came of it. */
export interface VlmReply {
  /** The exposed outputs of the vision encoder. */
  readonly outputs: readonly string[];
  /** The report on Node's inputs, as it is. */
  readonly report: PruneReport | undefined;
  /** The answer about a canvas, as a whole and in pieces. */
  readonly text: string;
  readonly pieces: string;
  readonly keptTokens: number;
}

/** Loads, selects, answers. */
export async function onMainThread({ model, inputs, question }: VlmRequest): Promise<VlmReply> {
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  // This site's own copy, one thread: a test is no place for a network, nor for four threads on two cores.
  Object.assign(env.backends.onnx.wasm ?? {}, { wasmPaths: '/onnxruntime/', numThreads: 1 });
  const vlm = await createVlm(model, { keep: 4, minVisionTokens: 1, dtype: 'fp32' });
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, dims, data }]) => {
      const values = type === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
      return [name, new Tensor(type as 'float32', values as Float32Array, [...dims])];
    }),
  );
  await vlm.handle.generate({ ...tensors, max_new_tokens: 2, mmtok: { question } });
  const report = vlm.handle.lastReport;

  const canvas = new OffscreenCanvas(24, 24);
  canvas.getContext('2d')?.fillRect(2, 2, 9, 9);
  const stream = vlm.stream({ image: canvas, question, maxNewTokens: 3 });
  let pieces = '';
  for await (const piece of stream) pieces += piece;
  const { text, usage } = await stream.answer;
  const outputs = vlm.model.sessions.vision_encoder.outputNames;
  await vlm.dispose();
  return { outputs, report, text, pieces, keptTokens: usage.keptTokens };
}

/** The same in a module worker, which posts its reply back. */
export async function inWorker(request: VlmRequest): Promise<VlmReply> {
  const worker = new Worker('/vlm.js', { type: 'module' });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<{ reply?: VlmReply; problem?: string }>) =>
        data.reply === undefined ? reject(new Error(data.problem)) : resolve(data.reply);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}

// The worker's script is this very file.
if (!('document' in globalThis)) {
  self.onmessage = ({ data }: MessageEvent<VlmRequest>) => {
    onMainThread(data).then(
      (reply) => self.postMessage({ reply }),
      (error: unknown) => self.postMessage({ problem: String((error as Error).stack ?? error) }),
    );
  };
}
