// Finds the copy of ONNX Runtime that runs a transformers.js model, in Node and in browsers.

import { BackendUnavailableError } from '@mmtok/core';
import { encodeModel } from '@mmtok/onnx';
import type { OrtDevice } from './devices.js';
import { type Exclusive, type OrtModule, type OrtTensor, queueOf, unqueued } from './ort-api.js';
import { NO_SPINNING } from './thread-options.js';

/** The part of a transformers.js model that is read: its sessions by name, e.g. `vision_encoder`. */
export interface LoadedModel {
  readonly sessions: Readonly<Record<string, unknown>>;
}

/** The runtime of a model. */
export interface ModelRuntime {
  /** The copy of ONNX Runtime that made the model's sessions. */
  readonly ort: OrtModule;
  /**
   * The devices for selection with this model, best first: in browsers `webgpu` if the vision encoder runs on it, then `wasm`;
   * elsewhere `cpu`, which is no slower even if the model runs on a GPU.
   */
  readonly devices: readonly OrtDevice[];
}

type SessionClass = OrtModule['InferenceSession'];

/** One constant output and no input, enough to find the class of the runtime's tensors. */
const constant = encodeModel({
  graph: {
    inputs: [],
    outputs: [{ name: 'y' }],
    nodes: [{ opType: 'Identity', inputs: ['one'], outputs: ['y'] }],
    initializers: [{ name: 'one', dtype: 'float32', dims: [1], data: [1] }],
  },
});

const tensorClasses = new WeakMap<SessionClass, Promise<OrtModule['Tensor']>>();

/**
 * The ONNX Runtime of a loaded model, found through the class of its sessions. Nothing is imported, so no second
 * copy is loaded.
 *
 * @param model a model of transformers.js.
 * @param runExclusive runs work that uses a session if runs must not overlap (see `OrtBackendOptions.runExclusive`).
 * @throws BackendUnavailableError if none of the model's sessions belongs to ONNX Runtime.
 * @example
 * const { ort, devices } = await runtimeOfModel(model);
 * const session = await ort.InferenceSession.create(bytes, { executionProviders: [devices[0]] });
 */
export async function runtimeOfModel(model: LoadedModel, runExclusive?: Exclusive): Promise<ModelRuntime> {
  const InferenceSession = sessionClass(model);
  let found = tensorClasses.get(InferenceSession);
  if (found === undefined) {
    const exclusive = runExclusive ?? (isNode() ? unqueued : queueOf(InferenceSession));
    found = exclusive(() => tensorClass(InferenceSession));
    tensorClasses.set(InferenceSession, found);
    found.catch(() => tensorClasses.delete(InferenceSession));
  }
  return { ort: { InferenceSession, Tensor: await found }, devices: devicesBeside(model) };
}

/** The class of the model's sessions. Wrapped or replaced sessions are skipped. */
function sessionClass(model: LoadedModel): SessionClass {
  for (const session of Object.values(model.sessions)) {
    const made = (session as { constructor?: unknown } | null | undefined)?.constructor as
      | (SessionClass & { readonly prototype?: { readonly run?: unknown } })
      | undefined;
    // The constructor of a plain object, Object, also has a `create`.
    if (typeof made?.create === 'function' && typeof made.prototype?.run === 'function') return made;
  }
  const names = Object.keys(model.sessions);
  throw new BackendUnavailableError(
    'ort',
    `the model has no session of ONNX Runtime (${names.length === 0 ? 'it has no sessions' : `sessions: ${names.join(', ')}`})`,
    'Pass a model that transformers.js has loaded and that is not disposed, or the runtime itself: createOrtBackend({ ort }).',
  );
}

async function tensorClass(InferenceSession: SessionClass): Promise<OrtModule['Tensor']> {
  // Every build has a provider with this name; in onnxruntime-web it means WebAssembly.
  const session = await InferenceSession.create(constant, {
    executionProviders: ['cpu'],
    extra: NO_SPINNING,
    logSeverityLevel: 3,
  });
  try {
    const { y } = await session.run({}, { y: null });
    return (y as OrtTensor).constructor as OrtModule['Tensor'];
  } finally {
    await session.release();
  }
}

/** transformers.js uses onnxruntime-node on Node only, and detects Node the same way. */
function isNode(): boolean {
  const { process } = globalThis as { process?: { release?: { name?: string } } };
  return process?.release?.name === 'node';
}

/** transformers.js records the requested device on every session: `cpu`, `webgpu`, `auto`, … */
function devicesBeside({ sessions }: LoadedModel): readonly OrtDevice[] {
  if (isNode()) return ['cpu'];
  const noted = [sessions.vision_encoder, ...Object.values(sessions)].map(
    (session) => (session as { config?: { device?: unknown } } | null | undefined)?.config?.device,
  );
  return noted.find((device) => device !== undefined) === 'webgpu' ? ['webgpu', 'wasm'] : ['wasm'];
}
