// The backend: compiles each program once, keeps its session, and converts tensors to and from ONNX Runtime's.

import {
  type Backend,
  BackendRunError,
  DisposedError,
  type HostTensor,
  MmtokError,
  type TensorSpecs,
} from '@mmtok/core';
import {
  checkInputs,
  checkInto,
  elementCount,
  float32,
  type Program,
  type RunOptions,
} from '@mmtok/core/backend';
import { messageOf, parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { compileProgram, graphInput, graphOutput, type InputTypes } from './compile-program.js';
import {
  createSession,
  hasRowProducts,
  ORT_DEVICES,
  type OrtDevice,
  selectDevice,
  type WorkingDevice,
} from './devices.js';
import { freeNow } from './free-now.js';
import { blocksFor } from './gram.js';
import { type LoadedModel, type ModelRuntime, runtimeOfModel } from './model-runtime.js';
import {
  type Exclusive,
  type OrtModule,
  type OrtSession,
  type OrtTensor,
  queueOf,
  unqueued,
} from './ort-api.js';
import { blockName, type ShapeKind } from './row-blocks.js';

/** Options of {@link createOrtBackend}. */
export interface OrtBackendOptions {
  /**
   * The execution provider, or several in order of preference; the first that works is used. ONNX Runtime runs what a
   * provider does not support on the CPU.
   * @default `cpu` in Node. In browsers `wasm`, or `webgpu` if the vision encoder of `model` runs on it.
   */
  readonly device?: OrtDevice | readonly OrtDevice[] | undefined;
  /** A model that transformers.js has loaded: the backend uses the copy of ONNX Runtime that runs it. */
  readonly model?: LoadedModel | undefined;
  /**
   * The module to use: `onnxruntime-node`, `onnxruntime-web`, … Not together with `model`.
   * @default in Node, the onnxruntime-node that transformers.js loads, or the installed one
   */
  readonly ort?: OrtModule | undefined;
  /** Options for every session, e.g. `{ intraOpNumThreads: 2 }`. */
  readonly sessionOptions?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Runs work that creates or runs a session, and settles with its result. WebAssembly builds accept one call at a time on
   * WebGPU: if you run other sessions of the same copy, pass their queue.
   * @default on `wasm` and `webgpu` a queue shared by all backends on one copy; elsewhere none
   */
  readonly runExclusive?: (<T>(run: () => Promise<T>) => Promise<T>) | undefined;
}

const schema = z
  .strictObject({
    device: z
      .union([z.enum(ORT_DEVICES), z.array(z.enum(ORT_DEVICES)).min(1)], {
        error: ({ input }) =>
          `expected ${ORT_DEVICES.join(', ')}, or a list of these, got '${messageOf(input)}'`,
      })
      .optional(),
    model: z
      .custom<LoadedModel>(
        (value) => isObject(value) && isObject((value as Partial<LoadedModel>).sessions),
        'expected a model that transformers.js has loaded',
      )
      .optional(),
    ort: z
      .custom<OrtModule>(
        (value) => typeof (value as OrtModule | undefined)?.InferenceSession?.create === 'function',
        'expected the onnxruntime module, e.g. await import("onnxruntime-node")',
      )
      .optional(),
    sessionOptions: z.record(z.string(), z.unknown()).default({}),
    runExclusive: z
      .custom<Exclusive>(
        (value) => typeof value === 'function',
        'expected a function that runs the work it is given',
      )
      .optional(),
  })
  .refine(({ model, ort }) => model === undefined || ort === undefined, {
    error: "give either 'model' (whose runtime is used) or 'ort' (the runtime), not both",
  }) satisfies z.ZodType<OrtBackendOptions, OrtBackendOptions>;

/**
 * A backend on ONNX Runtime. Each program becomes one ONNX graph with dynamic dimensions, compiled at its first use.
 *
 * @throws BackendUnavailableError if ONNX Runtime is missing or none of the devices works here.
 * @throws InvalidOptionsError for options of the wrong form.
 * @example
 * const backend = await createOrtBackend({ model }); // on the runtime of a loaded model, in Node and in browsers
 * const onGpu = await createOrtBackend({ device: ['cuda', 'cpu'] });
 */
export async function createOrtBackend(options: OrtBackendOptions = {}): Promise<Backend> {
  const { device, model, ort, sessionOptions, runExclusive } = parseOptions(
    'options of createOrtBackend',
    schema,
    options,
  );
  const found = model === undefined ? await runtimeOf(ort) : await runtimeOfModel(model, runExclusive);
  const wanted = device === undefined ? found.devices : [device].flat();
  // In the web build, 'cpu' means WebAssembly too.
  const isWeb = found.ort.env?.versions?.web !== undefined || found.devices.includes('wasm');
  const named = wanted.map((each) => (each === 'cpu' && isWeb ? 'wasm' : each));
  const exclusive = (each: OrtDevice): Exclusive =>
    runExclusive ?? (each === 'wasm' || each === 'webgpu' ? queueOf(found.ort.InferenceSession) : unqueued);
  const working = await selectDevice(found.ort, named, sessionOptions, exclusive);
  return new OrtBackend(found.ort, working, sessionOptions, exclusive(working.device));
}

async function runtimeOf(given: OrtModule | undefined): Promise<ModelRuntime> {
  const ort = given ?? (await loadDefault());
  return { ort, devices: [ort.env?.versions?.web === undefined ? 'cpu' : 'wasm'] };
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}

/** Whether memory is shared between threads, which ONNX Runtime does not accept. */
function isShared({ buffer }: HostTensor['data']): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
}

async function loadDefault(): Promise<OrtModule> {
  return (await import('#default-onnxruntime')).loadDefaultOnnxRuntime();
}

/** Which session a run needs. */
interface Wanted {
  readonly program: Program;
  readonly types: InputTypes;
  readonly isLean: boolean;
  /** The shape of each input. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

/** A program's session. */
interface Compiled {
  readonly session: OrtSession;
  readonly blocks: number;
  /** Names in the graph of the inputs whose blocks of rows are inputs, too. */
  readonly viewed: readonly string[];
}

/** Names in the graph of the matrices with the most rows. */
function tallest({ shapes, types }: Wanted, rows: number): Set<string> {
  const names = Object.entries(shapes).flatMap(([name, dims]) =>
    dims.length === 2 && dims[0] === rows && types[name] === 'float32' ? [graphInput(name)] : [],
  );
  return new Set(names);
}

/** What the shapes of inputs say about how they combine with blocks of rows, by name in the graph. */
function kindsOf(shapes: Wanted['shapes']): Map<string, ShapeKind> {
  const kinds = new Map<string, ShapeKind>();
  for (const [name, dims] of Object.entries(shapes)) {
    if (dims.length === 0) kinds.set(graphInput(name), 'scalar');
    else if (dims.length === 2 && dims.includes(1))
      kinds.set(graphInput(name), dims[0] === 1 ? 'row' : 'column');
  }
  return kinds;
}

class OrtBackend implements Backend {
  readonly name = 'ort';
  readonly device: OrtDevice;
  private readonly fillsGivenMemory: boolean;
  readonly precision: number;
  private readonly ort: OrtModule;
  private readonly sessionOptions: Readonly<Record<string, unknown>>;
  private readonly exclusive: Exclusive;
  /** For each program, its sessions by the element types of the inputs, whether they are lean, and how the matrix is split if it matters. */
  private sessions = new WeakMap<Program, Map<string, Promise<Compiled>>>();
  private readonly opened = new Set<Promise<Compiled>>();
  /** Releases the sessions of programs that are no longer referenced. */
  private readonly programs = new FinalizationRegistry<Map<string, Promise<Compiled>>>((bySignature) => {
    for (const session of bySignature.values()) {
      if (this.opened.delete(session))
        void session.then((each) => this.exclusive(() => each.session.release()));
    }
  });
  private disposed = false;

  constructor(
    ort: OrtModule,
    working: WorkingDevice,
    sessionOptions: Readonly<Record<string, unknown>>,
    exclusive: Exclusive,
  ) {
    this.exclusive = exclusive;
    this.ort = ort;
    this.device = working.device;
    this.fillsGivenMemory = working.fillsGivenMemory;
    // GPUs may multiply in half precision, or in TF32 if another session started the libraries first.
    this.precision = ['cpu', 'wasm'].includes(working.device) ? 1e-5 : 2e-3;
    this.sessionOptions = sessionOptions;
  }

  async run<I extends TensorSpecs, O extends TensorSpecs>(
    program: Program<I, O>,
    inputs: Readonly<Record<keyof I, HostTensor>>,
    options: RunOptions<O> = {},
  ): Promise<Record<keyof O, HostTensor>> {
    if (this.disposed) throw new DisposedError("Backend 'ort'");
    const lengths = checkInputs(program, inputs);
    const names = Object.keys(program.inputs);
    const types = Object.fromEntries(names.map((name) => [name, (inputs[name] as HostTensor).type]));
    const feeds = Object.fromEntries(
      names.map((name) => {
        const { type, data, dims } = inputs[name] as HostTensor;
        return [graphInput(name), new this.ort.Tensor(type, isShared(data) ? data.slice() : data, dims)];
      }),
    );
    const into: Readonly<Record<string, Float32Array | undefined>> = options.into ?? {};
    const fetches = Object.fromEntries(
      Object.entries<TensorSpecs[string]>(program.outputs).map(([name, { dims }]) => {
        const memory = into[name];
        const shape = dims.map((dim) => lengths.get(dim) ?? -1);
        const fits = this.fillsGivenMemory && elementCount(shape) === memory?.length && !shape.includes(-1);
        return [graphOutput(name), fits ? new this.ort.Tensor('float32', memory, shape) : null];
      }),
    );
    const shapes = Object.fromEntries(names.map((name) => [name, (inputs[name] as HostTensor).dims]));
    const wanted = { program, types, isLean: options.lean === true, shapes };
    const outputs = await this.execute(wanted, feeds, fetches);
    return Object.fromEntries(
      Object.keys(program.outputs).map((name) => {
        const { type, data, dims } = outputs[graphOutput(name)] as OrtTensor;
        if (type === 'int32') return [name, { type, data: data as Int32Array, dims }];
        const floats = data as Float32Array;
        const memory = into[name] ?? floats;
        checkInto(program, name, dims, memory);
        const isFilled = fetches[graphOutput(name)] !== null;
        if (!isFilled && memory !== floats) memory.set(floats);
        if (isFilled && memory.buffer !== floats.buffer) freeNow(floats);
        return [name, float32(memory, dims)];
      }),
    ) as Record<keyof O, HostTensor>;
  }

  private async execute(
    wanted: Wanted,
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, OrtTensor | null>>,
  ): Promise<Readonly<Record<string, OrtTensor>>> {
    try {
      const { session, blocks, viewed } = await this.session(wanted);
      const views = Object.assign({}, ...viewed.map((name) => this.blocksOf(name, feeds, blocks)));
      return await this.exclusive(() => session.run({ ...feeds, ...views }, fetches));
    } catch (cause) {
      if (this.disposed) throw new DisposedError("Backend 'ort'");
      // From a program's `build`, which names what is wrong.
      if (MmtokError.isInstance(cause)) throw cause;
      throw new BackendRunError('ort', wanted.program.name, cause);
    }
  }

  /** Blocks of rows of an input, in the same memory. */
  private blocksOf(
    name: string,
    feeds: Readonly<Record<string, OrtTensor>>,
    blocks: number,
  ): Record<string, OrtTensor> {
    const { data, dims } = feeds[name] as OrtTensor;
    const [rows = 0, width = 0] = dims;
    const size = Math.ceil(rows / blocks);
    return Object.fromEntries(
      Array.from({ length: blocks }, (_, i) => {
        const [start, end] = [Math.min(rows, i * size), Math.min(rows, (i + 1) * size)];
        const view = (data as Float32Array).subarray(start * width, end * width);
        return [blockName(name, i), new this.ort.Tensor('float32', view, [end - start, width])];
      }),
    );
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    this.sessions = new WeakMap();
    const sessions = await Promise.allSettled(this.opened);
    this.opened.clear();
    await Promise.all(
      sessions.map((each) =>
        each.status === 'fulfilled' ? this.exclusive(() => each.value.session.release()) : undefined,
      ),
    );
  }

  private session(wanted: Wanted): Promise<Compiled> {
    const { program, types, isLean, shapes } = wanted;
    let bySignature = this.sessions.get(program);
    if (bySignature === undefined) {
      bySignature = new Map();
      this.sessions.set(program, bySignature);
      this.programs.register(program, bySignature);
    }
    // Multiplying a product as a whole takes the least memory.
    const rows = Math.max(0, ...Object.values(shapes).map(([length = 0]) => length));
    const blocks = isLean ? 1 : blocksFor(rows);
    const kinds = blocks === 1 ? new Map<string, ShapeKind>() : kindsOf(shapes);
    const viewable = blocks > 1 && this.device === 'cpu' ? tallest(wanted, rows) : new Set<string>();
    const forAnyRows = `${Object.values(types).join()} ${isLean ? 'lean' : ''}`;
    const forThese = `${forAnyRows} ${blocks} ${[...kinds].join()} ${[...viewable].join()}`;
    const known = bySignature.get(forThese) ?? bySignature.get(forAnyRows);
    if (known !== undefined) return known;
    const recording = { isLean, blocks, kinds, viewable, hasRowProducts: hasRowProducts(this.device) };
    const { model, usesBlocks, viewed } = compileProgram(program, types, recording);
    const signature = usesBlocks ? forThese : forAnyRows;
    const created = this.exclusive(() =>
      createSession(this.ort, model, this.device, this.sessionOptions, isLean),
    ).then((session): Compiled => ({ session, blocks, viewed }));
    bySignature.set(signature, created);
    this.opened.add(created);
    // A run that failed for lack of memory may succeed next time.
    created.catch(() => {
      bySignature.delete(signature);
      this.opened.delete(created);
    });
    return created;
  }
}
