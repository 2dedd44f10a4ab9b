// A TensorFlow.js module made ready for use: which of its backends runs, how precise it is and what it gets wrong.

import { BackendUnavailableError } from '@mmtok/core';
import { brokenEngine, firstLine } from './broken-engine.js';
import type { Tfjs, TfjsTensor } from './tfjs.js';
import type { EngineQuirks } from './tfjs-ops.js';
import { tidy } from './tidy.js';

/** Which copy of TensorFlow.js runs. */
export interface TfjsEngineInfo {
  /** Name or path of the module; `'given'` where the caller handed it in. */
  readonly module: string;
  /** Version of TensorFlow.js. */
  readonly version: string;
}

/** A tfjs module with the backend to run on. */
export interface Engine {
  readonly device: string;
  readonly precision: number;
  readonly quirks: EngineQuirks;
  /** Runs synchronous work on the engine's backend and leaves the module's active backend as it found it. */
  use<R>(work: (tf: Tfjs) => R): Promise<R>;
}

/**
 * Initialises a module's backend and tries it out.
 *
 * TensorFlow.js has one active backend for the whole process. An engine of our own loading, or one asked for by name,
 * is switched to for the duration of a program and back; a module handed in without a name runs on whatever its owner
 * has made active.
 *
 * @throws BackendUnavailableError if the backend does not exist, or does not compute.
 */
export async function pinEngine(
  tf: Tfjs,
  info: TfjsEngineInfo,
  owner: 'own' | 'given',
  tfBackend: string | undefined,
): Promise<Engine> {
  const pinned = await initialise(tf, info, owner, tfBackend);
  const use = async <R>(work: (module: Tfjs) => R): Promise<R> => {
    const active = tf.getBackend();
    if (pinned === undefined || active === pinned) return work(tf);
    // Both switches take effect at once, since both backends are initialised: nothing runs in between.
    const switched = [tf.setBackend(pinned)];
    try {
      return work(tf);
    } finally {
      switched.push(tf.setBackend(active));
      await Promise.all(switched);
    }
  };
  if (owner === 'own' && pinned === 'cpu') await use(skipGreeting);
  const precision = await use(precisionOf);
  const quirks = await probeQuirks(use).catch((error: unknown) => {
    throw brokenEngine(info.module, error);
  });
  return {
    get device() {
      return deviceOf(tf, pinned ?? tf.getBackend());
    },
    precision,
    quirks,
    use,
  };
}

/** Makes the backend ready and returns the name to stay on; undefined means: whatever is active. */
async function initialise(
  tf: Tfjs,
  { module }: TfjsEngineInfo,
  owner: 'own' | 'given',
  tfBackend: string | undefined,
): Promise<string | undefined> {
  if (tfBackend === undefined) {
    await tf.ready();
    return owner === 'own' ? tf.getBackend() : undefined;
  }
  const active = tf.getBackend() as string | undefined;
  let cause: unknown;
  const isReady = await tf.setBackend(tfBackend).catch((error: unknown) => {
    cause = error;
    return false;
  });
  if (active !== undefined && active !== '' && active !== tfBackend) await tf.setBackend(active);
  if (isReady) return tfBackend;
  throw new BackendUnavailableError(
    'tfjs',
    `TensorFlow.js (${module}) has no working backend '${tfBackend}'${cause === undefined ? '' : `: ${firstLine(cause)}`}`,
    `Name one that it has ('cpu' is in every copy; 'wasm' needs @tensorflow/tfjs-backend-wasm; 'tensorflow' needs a native addon).`,
    { cause },
  );
}

/** The name of what really computes. The native backend calls itself 'tensorflow' on a CPU and on a GPU. */
function deviceOf(tf: Tfjs, name: string): string {
  if (name !== 'tensorflow') return name;
  return runsOnGpu(tf) ? 'tensorflow-gpu' : 'tensorflow-cpu';
}

function runsOnGpu(tf: Tfjs): boolean {
  return (
    tf.getBackend() === 'tensorflow' &&
    (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true
  );
}

/**
 * 1e-5 for float32 arithmetic. 1e-3 for half-precision textures, and for NVIDIA GPUs while TensorFlow multiplies
 * matrices in TF32 (10 bits of mantissa), which it does unless NVIDIA_TF32_OVERRIDE=0 is set.
 */
function precisionOf(tf: Tfjs): number {
  const mayUseTf32 = runsOnGpu(tf) && globalThis.process?.env.NVIDIA_TF32_OVERRIDE !== '0';
  return tf.backend().floatPrecision() === 32 && !mayUseTf32 ? 1e-5 : 1e-3;
}

/**
 * On Node, the plain CPU engine greets its first tensor with an advertisement on stderr. Ours is that tensor, made
 * while the engine does not know that it is on Node.
 */
function skipGreeting(tf: Tfjs): void {
  const isNode = tf.env().get('IS_NODE') === true;
  tf.env().set('IS_NODE', false);
  tf.scalar(0).dispose();
  tf.env().set('IS_NODE', isNode);
}

/** Vector registers and the rest of a row are often different code: long enough for both. */
const PROBE_LENGTH = 37;

/** Finds out what is particular about the engine, and whether it computes at all. */
async function probeQuirks(use: Engine['use']): Promise<EngineQuirks> {
  const transposeFirst = await use((tf) => tf.getBackend() === 'wasm');
  const [left, right] = await use((tf) =>
    tidy(tf, (): [TfjsTensor, TfjsTensor] => {
      const vector = (value: number): TfjsTensor =>
        tf.tensor(new Float32Array(PROBE_LENGTH).fill(value), [PROBE_LENGTH], 'float32');
      const [nan, one] = [vector(Number.NaN), vector(1)];
      return [tf.maximum(nan, one), tf.maximum(one, nan)];
    }),
  );
  try {
    const values = [...Array.from(await left.data()), ...Array.from(await right.data())];
    return { maximumDropsNaN: !values.every(Number.isNaN), transposeFirst };
  } finally {
    left.dispose();
    right.dispose();
  }
}
