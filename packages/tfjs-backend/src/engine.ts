// A TensorFlow.js module that is ready to use: the backend it runs on, its precision, and its quirks.

import { BackendUnavailableError, type TensorOps } from '@mmtok/core';
import { brokenEngine, firstLine, notReady } from './broken-engine.js';
import { type Tfjs, type TfjsTensor, tidy } from './tfjs.js';
import { createTfjsOps, type EngineQuirks } from './tfjs-ops.js';

/** Which copy of TensorFlow.js runs. */
export interface TfjsEngineInfo {
  /** Name or path of the module; `'given'` if the caller passed it in. */
  readonly module: string;
  /** Version of TensorFlow.js. */
  readonly version: string;
}

/** Which of a module's backends to run on. */
export interface EngineChoice {
  /** Whether the module was loaded here, or passed in by a caller who may have activated a backend. */
  readonly owner: 'own' | 'given';
  readonly tfBackend: string | undefined;
  /** How long the backend may take to become ready. */
  readonly timeoutMs: number;
}

/** A module with the backend to run on. */
export interface Engine {
  readonly device: string;
  readonly precision: number;
  /** Runs synchronous work with the engine's operations, and restores the active backend. */
  use<R>(work: (tf: Tfjs, ops: TensorOps<TfjsTensor>) => R): Promise<R>;
}

/**
 * Initializes a module's backend and tries it out.
 *
 * TensorFlow.js has one active backend per process. For an engine that was loaded here or requested by name, the backend is
 * switched for the duration of a program and then restored; a module passed in without a name runs on whatever backend is
 * active.
 *
 * @throws BackendUnavailableError if the backend does not exist, or does not compute.
 */
export function openEngine(tf: Tfjs, info: TfjsEngineInfo, choice: EngineChoice): Promise<Engine> {
  return inTurn(() => open(tf, info, choice));
}

let last: Promise<unknown> = Promise.resolve();

/** Runs work one piece at a time, because preparing a backend makes it the active one in the meantime. */
function inTurn<R>(work: () => Promise<R>): Promise<R> {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

async function open(tf: Tfjs, info: TfjsEngineInfo, choice: EngineChoice): Promise<Engine> {
  const { owner } = choice;
  const pinned = await initialize(tf, info, choice);
  const opsByBackend = new Map<string, TensorOps<TfjsTensor>>();
  const opsOf = async (name: string): Promise<TensorOps<TfjsTensor>> => {
    const known = opsByBackend.get(name);
    if (known !== undefined) return known;
    const quirks = await probeQuirks(tf, name).catch((error: unknown) => {
      throw brokenEngine(info.module, error);
    });
    const ops = createTfjsOps(tf, quirks);
    opsByBackend.set(name, ops);
    return ops;
  };

  if (owner === 'own' && pinned === 'cpu') await onBackend(tf, 'cpu', () => skipGreeting(tf));
  const fixed =
    pinned === undefined
      ? undefined
      : await onBackend(tf, pinned, () => [deviceOf(tf), precisionOf(tf)] as const);
  await opsOf(pinned ?? tf.getBackend());
  return {
    get device() {
      return fixed?.[0] ?? deviceOf(tf);
    },
    get precision() {
      return fixed?.[1] ?? precisionOf(tf);
    },
    use(work) {
      return inTurn(async () => {
        const name = pinned ?? tf.getBackend();
        const ops = await opsOf(name);
        return onBackend(tf, name, () => work(tf, ops));
      });
    },
  };
}

/** Runs synchronous work on an initialized backend, and switches back. */
async function onBackend<R>(tf: Tfjs, name: string, work: () => R): Promise<R> {
  const active = tf.getBackend();
  if (active === name) return work();
  // Both switches take effect at once, since both backends are initialized: nothing runs in between.
  const switched = [tf.setBackend(name)];
  try {
    return work();
  } finally {
    switched.push(tf.setBackend(active));
    await Promise.all(switched);
  }
}

/** Initializes the backend and returns the name to stay on; undefined means whatever is active. */
async function initialize(
  tf: Tfjs,
  { module }: TfjsEngineInfo,
  { owner, tfBackend, timeoutMs }: EngineChoice,
): Promise<string | undefined> {
  const inTime = <R>(work: Promise<R>): Promise<R> =>
    within(timeoutMs, work, () => notReady(module, tfBackend ?? tf.getBackend(), timeoutMs));
  if (tfBackend === undefined) {
    await inTime(tf.ready());
    return owner === 'own' ? tf.getBackend() : undefined;
  }
  const active = tf.getBackend() as string | undefined;
  let cause: unknown;
  const isReady = await inTime(
    tf.setBackend(tfBackend).catch((error: unknown) => {
      cause = error;
      return false;
    }),
  );
  if (active !== undefined && active !== '' && active !== tfBackend) await tf.setBackend(active);
  if (isReady) return tfBackend;
  throw new BackendUnavailableError(
    'tfjs',
    `TensorFlow.js (${module}) has no working backend '${tfBackend}'${cause === undefined ? '' : `: ${firstLine(cause)}`}`,
    `Choose one that it has ('cpu' is in every copy; 'wasm' needs @tensorflow/tfjs-backend-wasm; 'tensorflow' needs a native addon).`,
    { cause },
  );
}

/** The result of `work`, or the error of `late` if it takes longer than `ms`. */
async function within<R>(ms: number, work: Promise<R>, late: () => Error): Promise<R> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** The device of the active backend; the native one is called 'tensorflow' on CPUs and GPUs. */
function deviceOf(tf: Tfjs): string {
  if (tf.getBackend() !== 'tensorflow') return tf.getBackend();
  return runsOnGpu(tf) ? 'tensorflow-gpu' : 'tensorflow-cpu';
}

function runsOnGpu(tf: Tfjs): boolean {
  return (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
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
 * On Node, the plain CPU engine prints an advertisement to stderr with its first tensor. This makes that tensor while the
 * engine does not know that it is on Node.
 */
function skipGreeting(tf: Tfjs): void {
  const isNode = tf.env().get('IS_NODE') === true;
  tf.env().set('IS_NODE', false);
  tf.scalar(0).dispose();
  tf.env().set('IS_NODE', isNode);
}

/** Long enough for vectorized code and for the scalar remainder of a row. */
const PROBE_LENGTH = 37;

/** Probes a backend's quirks, and whether it computes at all. */
async function probeQuirks(tf: Tfjs, name: string): Promise<EngineQuirks> {
  const vector = (value: number): TfjsTensor =>
    tf.tensor(new Float32Array(PROBE_LENGTH).fill(value), [PROBE_LENGTH], 'float32');
  const maxima = await onBackend(tf, name, () =>
    tidy(tf, () => {
      const [nan, one] = [vector(Number.NaN), vector(1)];
      return [tf.maximum(nan, one), tf.maximum(one, nan)];
    }),
  );
  try {
    const [left, right] = await Promise.all(
      maxima.map(async (each) => !Array.from(await each.data()).every(Number.isNaN)),
    );
    return {
      maximumDropsNaN: { left: left === true, right: right === true },
      transposeFirst: name === 'wasm',
      slowLeadingOnes: name === 'wasm' || name === 'cpu',
    };
  } finally {
    for (const each of maxima) each.dispose();
  }
}
