// The backend interface: something that runs programs. Also the checks of its inputs.

import { InvalidTensorError } from '../errors.js';
import type { Program, TensorSpecs } from './program.js';
import { elementCount, type HostTensor } from './tensor.js';

/** Options of one {@link Backend.run}. */
export interface RunOptions<O extends TensorSpecs = TensorSpecs> {
  /**
   * Memory for outputs, by output name, each of exactly the output's size. The backend writes to it and returns that array as the
   * output's data, which avoids copying a large matrix.
   */
  readonly into?: { readonly [K in keyof O]?: Float32Array } | undefined;
  /**
   * Hold as few intermediate results as possible, even if the program takes longer. Set for programs that compute a large matrix
   * at once. A hint: a backend may ignore it.
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
    if (tensor === undefined) throw new InvalidTensorError(label, 'is missing');
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
