// What an engine implements: the tensor operations in which the method is written, programs over them, and the interface of a
// backend that runs programs. Also the checks of its inputs.

import { InvalidTensorError } from '../errors.js';
import { elementCount, type HostTensor } from './tensor.js';

/**
 * The operations a backend implements, over its own tensor type `T`. A program is written once against this interface (see
 * `Program`): an eager backend runs it directly, a compiling backend passes symbolic tensors.
 *
 * Numbers are 32-bit floats, except for *index* tensors: integers that come only from `range`, `argMax` and inputs declared
 * `'int32'`. Element-wise operations broadcast as in NumPy: shapes are aligned at the last axis, and axes of length 1 stretch.
 * Axes count from 0 and are never negative.
 */
export interface TensorOps<T> {
  /** A constant of shape `[]`. */
  scalar(value: number): T;
  /** The length of `axis` as a float of shape `[]`. Known only at run time, so that a program fits every size. */
  size(x: T, axis: number): T;
  /** The indices `0 … length of axis − 1` of `x`, shape `[n]`, *index*. */
  range(x: T, axis: number): T;

  /** Element-wise `a + b`. */
  add(a: T, b: T): T;
  /** Element-wise `a − b`. */
  subtract(a: T, b: T): T;
  /** Element-wise `a · b`. */
  multiply(a: T, b: T): T;
  /** Element-wise `a / b`. */
  divide(a: T, b: T): T;
  /** Element-wise maximum; NaN propagates. */
  maximum(a: T, b: T): T;
  /** Element-wise eˣ. */
  exp(x: T): T;
  /** Element-wise natural logarithm. */
  log(x: T): T;
  /** Element-wise equality of two *index* tensors: a condition, for {@link where} only. */
  equal(a: T, b: T): T;
  /** Element-wise choice: `a` where the condition holds, else `b`. */
  where(condition: T, a: T, b: T): T;

  /** Matrix product of `[n, d]` with `[d, m]`, or with `[m, d]` when `transposeB`: `[n, m]`. */
  matMul(a: T, b: T, options?: { readonly transposeB?: boolean }): T;
  /** `[n, m]` to `[m, n]`. */
  transpose(x: T): T;
  /** The Euclidean norm of every row of `[n, d]`: `[n, 1]`. Not finite if a row holds NaN or infinity. */
  rowNorms(x: T): T;
  /** Softmax along `axis`, numerically stable: eˣ⁻ᵐᵃˣ / Σ eˣ⁻ᵐᵃˣ. */
  softmax(x: T, axis: number): T;

  /** Sum over `axis`, which is dropped, or kept with length 1 if `keepDims`. */
  sum(x: T, axis: number, options?: { readonly keepDims?: boolean }): T;
  /** Maximum over `axis`, which is dropped, or kept with length 1 if `keepDims`. The axis must not be empty or hold NaN. */
  max(x: T, axis: number, options?: { readonly keepDims?: boolean }): T;
  /** Index of the maximum over `axis`, which is dropped, *index*. **Ties go to the lowest index.** The axis must not hold NaN. */
  argMax(x: T, axis: number): T;

  /** Concatenates tensors along `axis`; the other axes must agree. */
  concat(parts: readonly T[], axis: number): T;
  /** The slices of `x` along `axis` at the *index* tensor `indices`, none negative (shape `[]` drops the axis, `[k]` keeps `k`). */
  gather(x: T, indices: T, axis: number): T;

  /**
   * Runs `body` `count` times (`count`: *index*, shape `[]`), passes the state from step to step, and stacks what each step emits
   * along a new axis 0. State tensors keep their shapes and remain *index* or float.
   */
  loop<S extends Readonly<Record<string, T>>, E extends Readonly<Record<string, T>>>(
    count: T,
    state: S,
    body: (state: S) => { readonly state: S; readonly emit: E },
  ): { readonly state: S; readonly emitted: E };
}

/** The element types of program inputs and outputs on the host. `float16` inputs are widened before any arithmetic. */
export type ProgramDType = 'float32' | 'int32';

/** The shape and element type of a program's input or output; dimensions are named, e.g. `['n', 'd']`. */
export interface TensorSpec {
  /** Names of the dimensions. A name means the same length everywhere in the program. */
  readonly dims: readonly string[];
  /** @default 'float32' */
  readonly dtype?: ProgramDType;
}

/** Named tensor specifications. */
export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

/**
 * A computation from named inputs to named outputs. Define it once, at module level: backends compile a program on first use and
 * keep the result as long as the program object lives.
 */
export interface Program<I extends TensorSpecs = TensorSpecs, O extends TensorSpecs = TensorSpecs> {
  /** Shown in errors, timings and compiled graphs. */
  readonly name: string;
  readonly inputs: I;
  readonly outputs: O;
  /** Builds the outputs from the inputs. It may use only `ops`, so that it means the same on every backend. */
  build<T>(ops: TensorOps<T>, inputs: Readonly<Record<keyof I, T>>): Readonly<Record<keyof O, T>>;
}

/**
 * Defines a {@link Program}.
 *
 * @example
 * const gram = defineProgram({
 *   name: 'gram',
 *   inputs: { x: { dims: ['n', 'd'] } },
 *   outputs: { g: { dims: ['n', 'n'] } },
 *   build: (ops, { x }) => ({ g: ops.matMul(x, x, { transposeB: true }) }),
 * });
 */
export function defineProgram<const I extends TensorSpecs, const O extends TensorSpecs>(
  program: Program<I, O>,
): Program<I, O> {
  return Object.freeze(program);
}

/** Options of one {@link Backend.run}. */
export interface RunOptions<O extends TensorSpecs = TensorSpecs> {
  /**
   * Memory for outputs, by output name, each of exactly the output's size. The backend writes to it and returns that array as the
   * output's data, which avoids copying a large matrix.
   */
  readonly into?: { readonly [K in keyof O]?: Float32Array } | undefined;
  /**
   * Hold as few intermediate results as possible, even if the program takes longer. Set for programs that compute a large matrix
   * at once. A backend may ignore this hint.
   * @default false
   */
  readonly lean?: boolean | undefined;
}

/**
 * An engine that runs {@link Program}s. Make one with `createReferenceBackend()`, or with `createOrtBackend()` or
 * `createTfjsBackend()` of the backend packages, and pass it to `selectTokens`.
 */
export interface Backend {
  /** Short name of the engine: `'reference'`, `'ort'`, `'tfjs'`. */
  readonly name: string;
  /** What the engine actually runs on, e.g. `'cpu'`, `'cuda'`, `'webgpu'`. */
  readonly device: string;
  /**
   * The largest relative error to expect in an element after a few operations, e.g. `1e-5` for float32. Backends select the same
   * tokens wherever gains differ by more than this.
   */
  readonly precision: number;
  /**
   * Runs a program on host tensors.
   * @throws InvalidTensorError if an input is missing or has the wrong rank, type or size, or if memory in `into` has the wrong size.
   * @throws UnsupportedOpError if the program uses an operation this backend lacks.
   * @throws BackendRunError for errors reported by the engine.
   * @throws DisposedError after `dispose()`.
   */
  run<I extends TensorSpecs, O extends TensorSpecs>(
    program: Program<I, O>,
    inputs: Readonly<Record<keyof I, HostTensor>>,
    options?: RunOptions<O>,
  ): Promise<Record<keyof O, HostTensor>>;
  /** Frees sessions and memory. The backend cannot be used afterwards. Safe to call twice. */
  dispose(): Promise<void>;
}

/**
 * Checks memory given for an output. Backends call it before writing.
 * @throws InvalidTensorError if it does not have the output's size.
 */
export function checkInto(
  program: Program,
  output: string,
  dims: readonly number[],
  memory: Float32Array,
): void {
  const elements = elementCount(dims);
  if (memory.length === elements) return;
  throw new InvalidTensorError(
    `${program.name}.${output}`,
    `expected memory for ${elements} numbers (shape [${dims.join(', ')}]) in 'into', got ${memory.length}`,
  );
}

/** The lengths of a program's named dimensions. */
export type DimLengths = ReadonlyMap<string, number>;

/**
 * Checks inputs against a program's declaration and returns the length of every named dimension. Backends call it first in
 * {@link Backend.run}, so that invalid inputs fail the same way on every engine.
 * @throws InvalidTensorError naming the program, the input, what was given and what was expected.
 */
export function checkInputs(
  program: Program,
  inputs: Readonly<Record<string, HostTensor | undefined>>,
): DimLengths {
  const lengths = new Map<string, number>();
  for (const [name, spec] of Object.entries(program.inputs)) {
    const label = `${program.name}.${name}`;
    const tensor = inputs[name];
    if (tensor === undefined) {
      throw new InvalidTensorError(label, `expected shape [${spec.dims.join(', ')}], got no tensor`);
    }
    const wanted = spec.dtype ?? 'float32';
    const isWanted = tensor.type === wanted || (wanted === 'float32' && tensor.type === 'float16');
    if (!isWanted) throw new InvalidTensorError(label, `expected type ${wanted}, got ${tensor.type}`);
    if (tensor.dims.length !== spec.dims.length) {
      throw new InvalidTensorError(
        label,
        `expected shape [${spec.dims.join(', ')}], got [${tensor.dims.join(', ')}]`,
      );
    }
    const elements = elementCount(tensor.dims);
    if (tensor.data.length !== elements) {
      throw new InvalidTensorError(
        label,
        `shape [${tensor.dims.join(', ')}] needs ${elements} elements, the data has ${tensor.data.length}`,
      );
    }
    spec.dims.forEach((dim, axis) => {
      const length = tensor.dims[axis] as number;
      const known = lengths.get(dim);
      if (known !== undefined && known !== length) {
        throw new InvalidTensorError(
          label,
          `expected shape [${spec.dims.join(', ')}] with ${dim} = ${known} as in the other inputs, got [${tensor.dims.join(', ')}]`,
        );
      }
      lengths.set(dim, length);
    });
  }
  return lengths;
}
