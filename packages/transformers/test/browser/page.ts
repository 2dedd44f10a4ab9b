// What browser.test.ts runs in a browser: a tiny model from the page's server, on the main thread or in a worker.

import { env, Tensor } from '@huggingface/transformers';
import { createVlm } from '../../src/index.js';

/** Inputs as Node's processor made them. */
export interface PlainTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** What the page is told. */
export interface Job {
  readonly model: string;
  readonly inputs: Readonly<Record<string, PlainTensor>>;
  readonly question: string;
}

/** What the page tells. */
export interface Outcome {
  readonly tap: boolean;
  readonly indices: readonly number[] | undefined;
  readonly source: string | undefined;
  readonly backends: readonly string[];
  readonly text: string;
  readonly pieces: string;
  readonly keptTokens: number;
}

async function work({ model, inputs, question }: Job): Promise<Outcome> {
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  const { wasm } = env.backends.onnx;
  if (wasm !== undefined) {
    wasm.wasmPaths = {
      mjs: new URL('/ort/ort-wasm-simd-threaded.asyncify.mjs', globalThis.location.href).href,
      wasm: new URL('/ort/ort-wasm-simd-threaded.asyncify.wasm', globalThis.location.href).href,
    };
    wasm.numThreads = 1;
  }
  const vlm = await createVlm(model, { keep: 4, minVisionTokens: 1, dtype: 'fp32' });
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, dims, data }]) => {
      const values = type === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
      return [name, new Tensor(type as 'float32', values as Float32Array, [...dims])];
    }),
  );
  await vlm.handle.generate({ ...tensors, max_new_tokens: 2, mmtok: { question } });
  const report = vlm.handle.lastReport;

  // An image as pages have them.
  const canvas = new OffscreenCanvas(24, 24);
  const context = canvas.getContext('2d');
  context?.fillRect(2, 2, 9, 9);
  const stream = vlm.stream({ image: canvas, question, maxNewTokens: 3 });
  let pieces = '';
  for await (const piece of stream) pieces += piece;
  const { text, usage } = await stream.answer;
  const outcome: Outcome = {
    tap: vlm.model.sessions.vision_encoder.outputNames.length > 1,
    indices: report?.images[0]?.indices,
    source: report?.visionFeatureSource,
    backends: [
      ...new Set(
        Object.values(vlm.model.sessions).map((one) =>
          String((one as { config: { device: string } }).config.device),
        ),
      ),
    ],
    text,
    pieces,
    keptTokens: usage.keptTokens,
  };
  await vlm.dispose();
  return outcome;
}

/** The few things of pages and workers that are used here. */
interface Scope {
  readonly location: { readonly href: string };
  readonly document?: object;
  work?: typeof work;
  postMessage?(message: unknown): void;
  onmessage?: (event: { readonly data: Job }) => void;
}

declare global {
  var location: Scope['location'];
  class OffscreenCanvas {
    constructor(width: number, height: number);
    readonly width: number;
    readonly height: number;
    getContext(kind: '2d'): { fillRect(x: number, y: number, width: number, height: number): void } | null;
  }
}

const scope = globalThis as unknown as Scope;
if (scope.document !== undefined) scope.work = work;
else {
  scope.onmessage = ({ data }) => {
    work(data).then(
      (outcome) => scope.postMessage?.(outcome),
      (error: unknown) =>
        scope.postMessage?.({ error: error instanceof Error ? error.stack : String(error) }),
    );
  };
}
