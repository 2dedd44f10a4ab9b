// The part of ONNX Runtime's JavaScript API that the backend uses, so that onnxruntime-node and -web both fit, and queues for work on
// sessions: WebAssembly builds accept one call at a time on WebGPU ("Session already started").

/** A tensor of onnxruntime. */
export interface OrtTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** A loaded graph. */
export interface OrtSession {
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, OrtTensor | null>>,
  ): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

/** The module `onnxruntime-node`, `onnxruntime-web` or `onnxruntime-web/webgpu`. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  readonly env?: {
    readonly versions?: { readonly common?: string; readonly node?: string; readonly web?: string };
  };
}

/** Runs work, possibly later, and settles with its result. */
export type Exclusive = <T>(run: () => Promise<T>) => Promise<T>;

/** Runs work at once. */
export const unqueued: Exclusive = (run) => run();

const queues = new WeakMap<object, Exclusive>();

/** The queue shared by all backends on one copy of ONNX Runtime. Failed work does not block later work. */
export function queueOf(InferenceSession: OrtModule['InferenceSession']): Exclusive {
  const known = queues.get(InferenceSession);
  if (known !== undefined) return known;
  let last: Promise<unknown> = Promise.resolve();
  const queue: Exclusive = (run) => {
    const result = last.then(run);
    last = result.catch(() => {});
    return result;
  };
  queues.set(InferenceSession, queue);
  return queue;
}
