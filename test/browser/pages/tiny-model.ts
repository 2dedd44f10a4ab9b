// Tiny random models from the site's server: loaded with their encoders tapped, pruned, asked.

import { env, type PreTrainedModel, RawImage, Tensor } from '@huggingface/transformers';
import { createOrtBackend } from '@mmtok/ort-backend';
import {
  createVlm,
  type LoadedVlm,
  loadVlm,
  type PruneReport,
  processInputs,
  prune,
} from '@mmtok/transformers';
import { useOwnRuntime } from './runtime.js';

const arrays = {
  float32: (data: readonly number[]) => Float32Array.from(data),
  int64: (data: readonly number[]) => BigInt64Array.from(data, BigInt),
  bool: (data: readonly number[]) => Uint8Array.from(data),
} as const;

/** A tensor as plain data. */
export interface PlainTensor {
  readonly type: keyof typeof arrays;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** Which model, what to ask it, and how many vision tokens to keep. */
export interface TinyRequest {
  readonly model: string;
  /** `prune` on what `loadVlm` gives, or `createVlm`, which then answers about a canvas as well. */
  readonly way: 'prune' | 'createVlm';
  /** What the processor returned in Node: browsers may decode images slightly differently. */
  readonly inputs: Readonly<Record<string, PlainTensor>>;
  readonly question: string;
  readonly tokens: number;
}

/** What came of it. */
export interface TinyReply {
  /** Outputs of the vision encoder after it was tapped. */
  readonly outputs: readonly string[];
  readonly report: PruneReport | undefined;
  /** Pixel values of wide and tall images that `processInputs` gives, and how many of them differ from the library's. */
  readonly pixels?: { readonly values: number; readonly different: number };
  /** The answer about a canvas, in pieces and whole. */
  readonly streamed?: { readonly pieces: string; readonly text: string; readonly keptTokens: number };
}

/** Loads, prunes and asks one model after the other. */
export async function runTinyModels(requests: readonly TinyRequest[]): Promise<readonly TinyReply[]> {
  useOwnRuntime();
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  const replies: TinyReply[] = [];
  for (const request of requests) {
    replies.push(await (request.way === 'prune' ? withPrune(request) : withCreateVlm(request)));
  }
  return replies;
}

async function withPrune({ model: source, inputs, question, tokens }: TinyRequest): Promise<TinyReply> {
  const loaded = await loadVlm(source, { dtype: 'fp32' });
  const { model, processor } = loaded;
  const handle = prune(model, { processor, budget: { tokens }, minVisionTokens: 1 });
  await handle.generate({ ...tensorsOf(inputs), max_new_tokens: 2, mmtok: { question } });
  const reply = {
    outputs: outputsOf(model),
    report: handle.lastReport,
    pixels: await comparePixels(loaded),
  };
  await handle.restore();
  await model.dispose();
  return reply;
}

async function comparePixels({ library, processor }: LoadedVlm): Promise<NonNullable<TinyReply['pixels']>> {
  let [values, different] = [0, 0];
  for (const [width, height] of [
    [90, 40],
    [31, 70],
  ] as const) {
    const data = Uint8ClampedArray.from(
      { length: width * height * 3 },
      (_, at) => Math.imul(at + 1, 0x9e3779b1) >>> 24,
    );
    const image = new RawImage(data, width, height, 3);
    const prompt = '<image>';
    const { pixel_values: ours } = await processInputs(library, processor, { prompt, images: [image] });
    const { pixel_values: theirs } = (await processor(prompt, [image])) as { readonly pixel_values: Tensor };
    const expected = theirs.data as Float32Array;
    values += expected.length;
    different += expected.filter((value, at) => !Object.is(value, ours?.data[at])).length;
  }
  return { values, different };
}

async function withCreateVlm({ model, inputs, question, tokens }: TinyRequest): Promise<TinyReply> {
  const vlm = await createVlm(model, { keep: tokens, minVisionTokens: 1, dtype: 'fp32' });
  await vlm.handle.generate({ ...tensorsOf(inputs), max_new_tokens: 2, mmtok: { question } });
  const reply = { outputs: outputsOf(vlm.model), report: vlm.handle.lastReport };

  const canvas = new OffscreenCanvas(24, 24);
  canvas.getContext('2d')?.fillRect(2, 2, 9, 9);
  const stream = vlm.stream({ image: canvas, question, maxNewTokens: 3 });
  let pieces = '';
  for await (const piece of stream) pieces += piece;
  const { text, usage } = await stream.answer;
  await vlm.dispose();
  return { ...reply, streamed: { pieces, text, keptTokens: usage.keptTokens } };
}

/** Two calls at once on a model that runs on WebGPU, each with its report; and what the default backend calls itself. */
export async function runOnWebGpu(
  request: TinyRequest,
): Promise<{ readonly device: string; readonly reports: readonly PruneReport[] }> {
  useOwnRuntime();
  env.allowLocalModels = true;
  const { inputs, question, tokens } = request;
  const { model, processor } = await loadVlm(request.model, { dtype: 'fp32', device: 'webgpu' });
  const { device } = await createOrtBackend({ model });
  const handle = prune(model, { processor, budget: { tokens }, minVisionTokens: 1 });
  const reports: PruneReport[] = [];
  const mmtok = { question, onReport: (report: PruneReport) => void reports.push(report) };
  const generate = () => handle.generate({ ...tensorsOf(inputs), max_new_tokens: 2, mmtok });
  await Promise.all([generate(), generate()]);
  return { device, reports };
}

function tensorsOf(inputs: TinyRequest['inputs']): Record<string, Tensor> {
  const tensors = Object.entries(inputs).map(([name, { type, dims, data }]): [string, Tensor] => [
    name,
    new Tensor(type, arrays[type](data), [...dims]),
  ]);
  return Object.fromEntries(tensors);
}

function outputsOf(model: PreTrainedModel): readonly string[] {
  return (model.sessions.vision_encoder as { readonly outputNames: readonly string[] }).outputNames;
}
