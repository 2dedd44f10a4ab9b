// Execution providers: which ones work on this machine, and how to install the others.

import { BackendUnavailableError } from '@mmtok/core';
import { messageOf } from '@mmtok/core/internal';
import { encodeModel } from '@mmtok/onnx';
import type { Exclusive, OrtModule, OrtSession } from './ort-api.js';
import { BRIEF_SPINNING, NO_SPINNING } from './thread-options.js';

/** The names of {@link OrtDevice}. */
export const ORT_DEVICES = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'dml', 'coreml', 'wasm'] as const;

/** An execution provider of ONNX Runtime, by the name transformers.js uses for it. */
export type OrtDevice = (typeof ORT_DEVICES)[number];

const HINTS: Readonly<Record<OrtDevice, string>> = {
  cpu: 'The CPU provider is part of onnxruntime-node; in a browser the device is wasm.',
  wasm: "The WASM provider is part of onnxruntime-web: createOrtBackend({ ort: await import('onnxruntime-web') }).",
  cuda: 'It needs an NVIDIA GPU, CUDA 12 with cuDNN 9, and the CUDA provider, which is not in the npm package: reinstall with ONNXRUNTIME_NODE_INSTALL=cuda12 and install scripts allowed (pnpm: list onnxruntime-node under onlyBuiltDependencies, then pnpm rebuild onnxruntime-node).',
  tensorrt:
    'It needs TensorRT in addition to CUDA 12 and the provider that ONNXRUNTIME_NODE_INSTALL=cuda12 installs.',
  webgpu:
    'In Node it needs a GPU with a Vulkan, Metal or Direct3D 12 driver; in a browser, one with WebGPU and the build onnxruntime-web/webgpu.',
  dml: 'DirectML exists on Windows only.',
  coreml: 'Core ML exists on macOS only.',
};

/** Node's `process`, absent in browsers. */
const node = (
  globalThis as {
    process?: { readonly arch?: string; readonly env?: Record<string, string | undefined> };
  }
).process;

/**
 * Whether products of two vectors are fast on a device. ONNX Runtime has a dedicated kernel for them on x64 CPUs; on other CPUs and in
 * WebAssembly, it pads one of the vectors to a matrix.
 */
export function hasRowProducts(device: OrtDevice): boolean {
  return device === 'cpu' && node?.arch === 'x64';
}

/**
 * NVIDIA's libraries can round the factors of float32 products to ten bits (TF32), and ONNX Runtime enables that: similarities then
 * differ in the fourth digit, and different tokens are selected. onnxruntime-node forwards no provider options, but the libraries
 * read this variable when they start. A value that is already set is kept.
 */
function keepFullPrecision(device: OrtDevice): void {
  const environment = node?.env;
  if (environment !== undefined && (device === 'cuda' || device === 'tensorrt')) {
    environment.NVIDIA_TF32_OVERRIDE ??= '0';
  }
}

/** Without an arena, memory is freed as soon as a tensor is no longer needed; with one, a session holds up to twice what it uses. */
const LEAN = { enableCpuMemArena: false };

/**
 * Opens a session on one device.
 * @param isLean whether memory matters more than time.
 */
export function createSession(
  ort: OrtModule,
  model: Uint8Array,
  device: OrtDevice,
  sessionOptions: Readonly<Record<string, unknown>>,
  isLean = false,
): Promise<OrtSession> {
  // ONNX Runtime's warnings about node placement do not help a caller.
  return ort.InferenceSession.create(model, {
    logSeverityLevel: 3,
    // In WebAssembly threads do not spin: nothing was measured there.
    extra: device === 'wasm' || device === 'webgpu' ? NO_SPINNING : BRIEF_SPINNING,
    ...(isLean && LEAN),
    ...sessionOptions,
    executionProviders: [device],
  });
}

/** A small y = x · xᵀ, enough to check that a provider loads and computes. */
const probe = encodeModel({
  graph: {
    inputs: [{ name: 'x', dtype: 'float32', dims: [1, 2] }],
    outputs: [{ name: 'y' }],
    nodes: [{ opType: 'Gemm', inputs: ['x', 'x'], outputs: ['y'], attributes: { transB: { int: 1 } } }],
  },
});

/** A working device, and what the trial showed about the module. */
export interface WorkingDevice {
  readonly device: OrtDevice;
  /** Whether outputs are written into preallocated memory. onnxruntime-node does this, onnxruntime-web does not. */
  readonly fillsGivenMemory: boolean;
}

/** A device's result for 3² + 4², in newly allocated and in preallocated memory. */
async function tryDevice(
  ort: OrtModule,
  device: OrtDevice,
  sessionOptions: Readonly<Record<string, unknown>>,
): Promise<{ readonly value: number | undefined; readonly filled: number | undefined }> {
  const session = await createSession(ort, probe, device, sessionOptions);
  const x = new ort.Tensor('float32', Float32Array.of(3, 4), [1, 2]);
  const { y } = await session.run({ x }, { y: null });
  const memory = new Float32Array(1);
  await session.run({ x }, { y: new ort.Tensor('float32', memory, [1, 1]) });
  await session.release();
  const [value] = (y?.data ?? []) as ArrayLike<number> & Iterable<number>;
  return { value, filled: memory[0] };
}

/**
 * The first device of `wanted` that loads and computes on this machine.
 * @throws BackendUnavailableError naming every device that was tried, why it failed, and what to do.
 */
export async function selectDevice(
  ort: OrtModule,
  wanted: readonly OrtDevice[],
  sessionOptions: Readonly<Record<string, unknown>>,
  exclusive: (device: OrtDevice) => Exclusive,
): Promise<WorkingDevice> {
  const failures: string[] = [];
  let cause: unknown;
  for (const device of wanted) {
    keepFullPrecision(device);
    try {
      const tried = await exclusive(device)(() => tryDevice(ort, device, sessionOptions));
      if (tried.value === 25) return { device, fillsGivenMemory: tried.filled === 25 };
      failures.push(`${device} computed 3² + 4² = ${tried.value}`);
    } catch (error) {
      cause = error;
      failures.push(`${device}: ${messageOf(error)}`);
    }
  }
  const hints = wanted.map((device) => HINTS[device]).join(' ');
  throw new BackendUnavailableError('ort', `no device works (${failures.join('; ')})`, hints, { cause });
}
