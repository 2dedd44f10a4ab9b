// The backend: runs programs eagerly on a TensorFlow.js engine and frees every tensor.

import {
  type Backend,
  BackendRunError,
  DisposedError,
  type HostTensor,
  MmtokError,
  type TensorOps,
  type TensorSpecs,
  UnsupportedOpError,
} from '@mmtok/core';
import {
  checkInputs,
  checkInto,
  type Program,
  type RunOptions,
  type TensorSpec,
  widen,
} from '@mmtok/core/backend';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { type Engine, openEngine, type TfjsEngineInfo } from './engine.js';
import { isTfjs, type Tfjs, type TfjsTensor, tidy } from './tfjs.js';

/** Options of `createTfjsBackend`. */
export interface TfjsBackendOptions {
  /**
   * A loaded TensorFlow.js module. Runs on its active backend unless `tfBackend` names one.
   */
  readonly tf?: Tfjs | undefined;
  /**
   * Which module to load: a package name, or the path of a package or file. Not together with `tf`.
   * @default the environment variable MMTOK_TFJS_MODULE, or else the first of: the addon built by `mmtok-tfjs-native`,
   * `@tensorflow/tfjs-node-gpu`, `@tensorflow/tfjs-node`, `@tensorflow/tfjs`
   */
  readonly module?: string | undefined;
  /**
   * Which backend of TensorFlow.js to run on: `'tensorflow'` (native), `'wasm'`, `'cpu'` (plain JavaScript), `'webgl'` …
   * @default the one that TensorFlow.js prefers
   */
  readonly tfBackend?: string | undefined;
  /**
   * How long TensorFlow.js may take to initialize its backend, in milliseconds. Without a limit, threads of the WASM backend that never
   * start, as in pages that Vite minifies, would block forever.
   * @default 10000
   */
  readonly timeoutMs?: number | undefined;
}

const schema = z
  .strictObject({
    tf: z
      .custom<Tfjs>(isTfjs, "expected a TensorFlow.js module, e.g. await import('@tensorflow/tfjs')")
      .optional(),
    module: z.string().min(1).optional(),
    tfBackend: z.string().min(1).optional(),
    // The largest delay of a timer.
    timeoutMs: z
      .number()
      .positive()
      .max(2 ** 31 - 1)
      .default(10_000),
  })
  .refine(({ tf, module }) => tf === undefined || module === undefined, {
    error: "give either 'tf' (a loaded module) or 'module' (its name), not both",
  }) satisfies z.ZodType<TfjsBackendOptions, TfjsBackendOptions>;

/** A {@link Backend} on TensorFlow.js. */
export interface TfjsBackend extends Backend {
  readonly name: 'tfjs';
  /** `'tensorflow-gpu'`, `'tensorflow-cpu'` (native), `'wasm'`, `'cpu'` (plain JavaScript), or another tfjs backend's name. */
  readonly device: string;
  /** Which copy of TensorFlow.js was found. */
  readonly engine: TfjsEngineInfo;
}

/**
 * Makes a backend on TensorFlow.js. Without options it takes the first of: the addon built by `mmtok-tfjs-native`,
 * `@tensorflow/tfjs-node-gpu`, `@tensorflow/tfjs-node`, `@tensorflow/tfjs`. An installed but broken module is an
 * error; the backend does not fall back to a slower one.
 *
 * Everything runs synchronously on the calling thread; only reading the results back is asynchronous.
 *
 * @throws BackendUnavailableError if no engine is found, it does not work, or it is not ready in time; the message says
 * what to do.
 * @throws InvalidOptionsError for options of the wrong form.
 *
 * @example
 * const backend = await createTfjsBackend();
 * console.log(backend.device, backend.engine.module); // 'tensorflow-cpu' '@tensorflow/tfjs-node'
 */
export async function createTfjsBackend(options: TfjsBackendOptions = {}): Promise<TfjsBackend> {
  const { tf, module, tfBackend, timeoutMs } = parseOptions('options of createTfjsBackend', schema, options);
  const found =
    tf === undefined
      ? await (await import('#default-tfjs')).loadTfjs({ module, tfBackend })
      : { tf, info: { module: 'given', version: tf.version['tfjs-core'] ?? 'unknown' } };
  const engine = await openEngine(found.tf, found.info, {
    owner: tf === undefined ? 'own' : 'given',
    tfBackend,
    timeoutMs,
  });
  let disposed = false;

  return {
    name: 'tfjs',
    get device() {
      return engine.device;
    },
    engine: found.info,
    get precision() {
      return engine.precision;
    },
    async run(program, inputs, runOptions) {
      if (disposed) throw new DisposedError("Backend 'tfjs'");
      checkInputs(program, inputs);
      const hosts = Object.keys(program.inputs).map(
        (name) => [name, widen(inputs[name] as HostTensor)] as const,
      );
      const outputs = await build(engine, program.name, (tf, ops) => {
        const tensors = hosts.map(([name, { data, dims, type }]) => [name, tf.tensor(data, [...dims], type)]);
        return { ...program.build(ops, Object.fromEntries(tensors)) } as Record<string, TfjsTensor>;
      });
      try {
        const into = (runOptions as RunOptions<TensorSpecs> | undefined)?.into ?? {};
        const taken = new Set<unknown>(hosts.map(([, host]) => host.data.buffer));
        const read: Record<string, HostTensor> = {};
        for (const [name, spec] of Object.entries<TensorSpec>(program.outputs)) {
          read[name] = await readOutput(program, name, outputs[name] as TfjsTensor, spec, taken, into[name]);
        }
        return read as never;
      } finally {
        for (const tensor of Object.values(outputs)) tensor.dispose();
      }
    },
    async dispose() {
      disposed = true;
    },
  };
}

/** Runs `work` on the engine; all tensors it makes are freed except those it returns. */
async function build<R>(
  engine: Engine,
  program: string,
  work: (tf: Tfjs, ops: TensorOps<TfjsTensor>) => R,
): Promise<R> {
  try {
    return await engine.use((tf, ops) => tidy(tf, () => work(tf, ops)));
  } catch (error) {
    const missing = /Kernel '(\w+)' not registered for backend '([\w-]+)'/.exec(String(error));
    if (missing === null)
      throw MmtokError.isInstance(error) ? error : new BackendRunError('tfjs', program, error);
    throw new UnsupportedOpError(missing[1] as string, 'tfjs', `on '${missing[2]}', in program '${program}'`);
  }
}

/**
 * Reads a tensor back. `taken` holds the buffers that are already in use, since some engines return the array they were
 * given, or one array for two tensors.
 */
async function readOutput(
  program: Program,
  name: string,
  tensor: TfjsTensor,
  spec: TensorSpec,
  taken: Set<unknown>,
  target: Float32Array | undefined,
): Promise<HostTensor> {
  const values = await tensor.data();
  const dims = [...tensor.shape];
  if (spec.dtype === 'int32') {
    return { type: 'int32', data: own(values, Int32Array, taken), dims };
  }
  if (target === undefined) return { type: 'float32', data: own(values, Float32Array, taken), dims };
  checkInto(program, name, dims, target);
  target.set(values);
  return { type: 'float32', data: target, dims };
}

type Numbers = Float32Array | Int32Array;

/** `values` as an unshared array of the wanted type. */
function own<A extends Numbers>(
  values: ArrayLike<number>,
  type: { new (values: ArrayLike<number>): A },
  taken: Set<unknown>,
): A {
  const mine = values instanceof type && !taken.has(values.buffer) ? values : new type(values);
  taken.add(mine.buffer);
  return mine;
}
