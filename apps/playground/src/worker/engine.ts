// Loads a model in the worker: an embedded one from this site, or one from the Hub, on WebAssembly or WebGPU.

import { env, type ProgressInfo } from '@huggingface/transformers';
import { loadTinyVlm } from '@mmtok/tiny-vlm';
import { createVlm, families, type LoadedVlm, loadVlm, type Vlm } from '@mmtok/transformers';
import type { Calls, Device, EngineFacts, ModelChoice, Progress } from '../lib/types.js';

/** A loaded model, and facts about it. */
export interface Engine {
  readonly vlm: Vlm;
  readonly facts: EngineFacts;
}

/** The part of WebGPU that is used here. */
interface Gpu {
  requestAdapter(): Promise<object | null>;
}

/** Loads a model; reports how many bytes of its files have arrived. */
export async function loadEngine(
  { model, device: wanted, site }: Calls['load']['input'],
  onProgress: (progress: Progress) => void,
): Promise<Engine> {
  const began = performance.now();
  const notes: string[] = [];
  const device = await deviceToUse(wanted, notes);
  const threads = threadsFor(device, notes);
  await useOwnRuntime(site, device, threads, onProgress);
  env.allowRemoteModels = model.kind === 'hub';
  const loaded = await loadModel(model, device, site, (info) => {
    if (info.status !== 'progress') return;
    onProgress({ file: info.file, loaded: info.loaded, total: info.total });
  });
  const vlm = await createVlm(loaded);
  return {
    vlm,
    facts: factsOf(loaded, model, { device, threads, notes, loadMs: performance.now() - began }),
  };
}

/** WebGPU where there is an adapter; else WebAssembly, with a note. */
async function deviceToUse(wanted: Device, notes: string[]): Promise<Device> {
  if (wanted !== 'webgpu') return wanted;
  const { gpu } = navigator as { readonly gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (adapter) return wanted;
  notes.push(
    'WebGPU is unavailable: this browser found no usable adapter. The model runs on WebAssembly instead.',
  );
  return 'wasm';
}

function threadsFor(device: Device, notes: string[]): number {
  if (device !== 'wasm') return 1;
  const cores = navigator.hardwareConcurrency;
  if (!self.crossOriginIsolated) {
    notes.push(
      'Threads are unavailable: the server does not send the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy.',
    );
    return 1;
  }
  return Math.max(1, Math.min(4, cores));
}

/** Gives transformers.js the WebAssembly files of this site; by default it would fetch them from a CDN. */
async function useOwnRuntime(
  site: string,
  device: Device,
  threads: number,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  const name = device === 'webgpu' ? 'ort-wasm-simd-threaded.asyncify' : 'ort-wasm-simd-threaded';
  const wasmPaths = { mjs: `${site}ort/${name}.mjs`, wasm: `${site}ort/${name}.wasm` };
  const wasmBinary = await download(wasmPaths.wasm, onProgress);
  Object.assign(env.backends.onnx.wasm ?? {}, { wasmPaths, wasmBinary, numThreads: threads });
  env.useWasmCache = false;
}

/** Reads a file of this site, and reports how much of it has arrived. */
async function download(url: string, onProgress: (progress: Progress) => void): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok || response.body === null)
    throw new Error(`${url} cannot be loaded (${response.status}).`);
  // Compressed on its way, a file has more bytes than the header says.
  const length = Number(response.headers.get('content-length') ?? 0);
  const total = response.headers.has('content-encoding') ? 0 : length;
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      onProgress({ file: url, loaded, total: Math.max(total, loaded) });
      controller.enqueue(chunk);
    },
  });
  let loaded = 0;
  return await new Response(response.body.pipeThrough(counting)).arrayBuffer();
}

async function loadModel(
  model: ModelChoice,
  device: Device,
  site: string,
  onProgress: (info: ProgressInfo) => void,
): Promise<LoadedVlm> {
  const on = device === 'webgpu' ? 'webgpu' : 'wasm';
  if (model.kind === 'hub') {
    return await loadVlm(model.id, { device: on, dtype: precisionOf(model) as 'q4', onProgress });
  }
  const tiny = await loadTinyVlm({
    size: model.size,
    baseUrl: `${site}tiny-vlm/`,
    device: on,
    dtype: precisionOf(model) as 'fp32',
    progress_callback: onProgress,
  });
  return { ...tiny, source: model.size === 'tiled' ? '@mmtok/tiny-vlm, tiled' : '@mmtok/tiny-vlm' };
}

/** The weights to load. The tiled model has none but `fp16`. */
function precisionOf(model: ModelChoice): string {
  if (model.kind === 'hub') return model.dtype;
  return model.size === 'tiled' ? 'fp16' : 'fp32';
}

function factsOf(
  loaded: LoadedVlm,
  model: ModelChoice,
  how: Pick<EngineFacts, 'device' | 'threads' | 'notes' | 'loadMs'>,
): EngineFacts {
  const family = families.find(({ modelTypes }) => modelTypes.includes(loaded.modelType));
  return {
    modelId: loaded.source,
    family: loaded.family,
    textTemperature: family?.status === 'pruned' ? family.textTemperature : 0.02,
    dtype: precisionOf(model),
    ...how,
  };
}
