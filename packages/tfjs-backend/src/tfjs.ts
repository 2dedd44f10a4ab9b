// The part of TensorFlow.js that this package uses, as plain interfaces, so that any copy fits: `@tensorflow/tfjs`, tfjs-node,
// tfjs-node-gpu, or a custom bundle.

/** A tensor of TensorFlow.js. It is a type, since an interface would not fit the parameters of the real functions. */
export type TfjsTensor = {
  readonly shape: readonly number[];
  readonly dtype: string;
  data(): Promise<ArrayLike<number>>;
  dataSync(): ArrayLike<number>;
  dispose(): void;
};

/** A TensorFlow.js module, e.g. the result of `await import('@tensorflow/tfjs')`. */
export interface Tfjs {
  readonly version: Readonly<Record<string, string>>;
  ready(): Promise<void>;
  getBackend(): string;
  setBackend(name: string): Promise<boolean>;
  backend(): { floatPrecision(): 16 | 32 };
  env(): { get(flag: string): unknown; set(flag: string, value: boolean): void };
  memory(): { readonly numTensors: number };
  tidy(work: () => void): unknown;

  scalar(value: number, dtype?: 'float32' | 'int32'): TfjsTensor;
  tensor(values: Float32Array | Int32Array, shape: number[], dtype: 'float32' | 'int32'): TfjsTensor;
  zeros(shape: number[], dtype?: 'float32' | 'int32'): TfjsTensor;
  cast(x: TfjsTensor, dtype: 'float32' | 'int32'): TfjsTensor;
  reshape(x: TfjsTensor, shape: number[]): TfjsTensor;
  range(start: number, stop: number, step: number, dtype: 'int32'): TfjsTensor;

  add(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  sub(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  mul(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  div(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  maximum(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  exp(x: TfjsTensor): TfjsTensor;
  log(x: TfjsTensor): TfjsTensor;
  sqrt(x: TfjsTensor): TfjsTensor;
  square(x: TfjsTensor): TfjsTensor;
  equal(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  where(condition: TfjsTensor, a: TfjsTensor, b: TfjsTensor): TfjsTensor;

  matMul(a: TfjsTensor, b: TfjsTensor, transposeA?: boolean, transposeB?: boolean): TfjsTensor;
  transpose(x: TfjsTensor): TfjsTensor;
  softmax(x: TfjsTensor, axis?: number): TfjsTensor;
  sum(x: TfjsTensor, axis?: number, keepDims?: boolean): TfjsTensor;
  max(x: TfjsTensor, axis?: number, keepDims?: boolean): TfjsTensor;
  argMax(x: TfjsTensor, axis?: number): TfjsTensor;
  concat(parts: TfjsTensor[], axis?: number): TfjsTensor;
  stack(parts: TfjsTensor[], axis?: number): TfjsTensor;
  gather(x: TfjsTensor, indices: TfjsTensor, axis?: number): TfjsTensor;
}

/** Whether a value looks like a TensorFlow.js module. */
export function isTfjs(value: unknown): value is Tfjs {
  if (typeof value !== 'object' || value === null) return false;
  return ['tidy', 'tensor', 'matMul', 'ready'].every(
    (name) => typeof (value as Record<string, unknown>)[name] === 'function',
  );
}

/** Runs synchronous work and frees every tensor it made, except those in what it returns. */
export function tidy<R>(tf: Tfjs, work: () => R): R {
  return tf.tidy(work) as R;
}
