// Tensors on the host: what callers pass in and what backends return.

import { InvalidTensorError, MmtokError, messageOf } from '../errors.js';
import { halvesToFloats } from '../internal/half.js';

/** A dense row-major array in host memory. `float16` holds raw half-precision bits in a `Uint16Array`. */
export type HostTensor =
  | {
      readonly type: 'float32';
      readonly data: Float32Array;
      readonly dims: readonly number[];
    }
  | {
      readonly type: 'float16';
      readonly data: Uint16Array;
      readonly dims: readonly number[];
    }
  | {
      readonly type: 'int32';
      readonly data: Int32Array;
      readonly dims: readonly number[];
    };

/** A {@link HostTensor} of 32-bit floats. */
export type Float32Tensor = Extract<HostTensor, { type: 'float32' }>;

/**
 * What public functions accept as a matrix `[rows, columns]`: a host tensor, a tensor of ONNX Runtime or transformers.js (with
 * `type`, `data` and `dims`), a `Float32Array` with `dims`, or an array of rows.
 */
export type MatrixInput =
  | HostTensor
  | {
      readonly type?: string;
      readonly data: unknown;
      readonly dims: readonly number[];
    }
  | readonly (readonly number[] | Float32Array)[];

/** A float32 tensor from its data and shape. */
export function float32(data: Float32Array, dims: readonly number[]): Float32Tensor {
  return { type: 'float32', data, dims };
}

/** The number of elements of a shape. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, length) => product * length, 1);
}

/**
 * Reads a matrix `[rows, columns]` from any accepted form, without a copy if possible. A leading axis of length 1 (`[1, n, d]`, a
 * batch of one) is dropped.
 * @throws InvalidTensorError for anything that is not a matrix of floats.
 */
export function toMatrix(name: string, input: MatrixInput): MatrixTensor {
  try {
    return readMatrix(name, input);
  } catch (cause) {
    if (MmtokError.isInstance(cause)) throw cause;
    // Getters that throw, revoked proxies and the like.
    throw new InvalidTensorError(name, `it cannot be read (${messageOf(cause)})`, { cause });
  }
}

/** A tensor of floats. */
export type MatrixTensor = Extract<HostTensor, { type: 'float32' | 'float16' }>;

function readMatrix(name: string, input: MatrixInput): MatrixTensor {
  if (Array.isArray(input)) return fromRows(name, input);
  if (typeof input !== 'object' || input === null || !('data' in input) || !Array.isArray(input.dims)) {
    throw new InvalidTensorError(
      name,
      `expected a tensor { data, dims } or an array of rows, got ${describe(input)}`,
    );
  }
  const all = input.dims.map(Number);
  const dims = all.length === 3 && all[0] === 1 ? all.slice(1) : all;
  const isShape = dims.length === 2 && dims.every((length) => Number.isInteger(length) && length >= 0);
  if (!isShape)
    throw new InvalidTensorError(name, `expected a matrix [rows, columns], got shape [${all.join(', ')}]`);

  const { data } = input;
  const expected = elementCount(dims);
  const checkLength = (length: number): void => {
    if (length === expected) return;
    throw new InvalidTensorError(
      name,
      `shape [${all.join(', ')}] needs ${expected} elements, the data has ${length}`,
    );
  };
  if (data instanceof Float32Array) {
    checkLength(data.length);
    return { type: 'float32', data, dims };
  }
  if (data instanceof Uint16Array && input.type === 'float16') {
    checkLength(data.length);
    return { type: 'float16', data, dims };
  }
  // Float16Array exists from Node 24 on; ONNX Runtime returns it there for half-precision tensors.
  if (data instanceof Float64Array || isFloat16Array(data)) {
    checkLength(data.length);
    return float32(Float32Array.from(data), dims);
  }
  throw new InvalidTensorError(
    name,
    `expected data of type Float32Array, Float64Array or, with type 'float16', Uint16Array, got ${describe(data)}` +
      (input.type === undefined ? '' : ` (type '${input.type}')`),
  );
}

function isFloat16Array(data: unknown): data is Float64Array {
  return Object.prototype.toString.call(data) === '[object Float16Array]';
}

function fromRows(name: string, rows: readonly (readonly number[] | Float32Array)[]): Float32Tensor {
  const columns = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * columns);
  // Neither forEach nor set: they skip holes and convert null, strings and the like to numbers.
  for (let index = 0; index < rows.length; index++) {
    const row: unknown = rows[index];
    if (!Array.isArray(row) && !(row instanceof Float32Array)) {
      throw new InvalidTensorError(
        name,
        `row ${index} is ${describe(row)}; expected an array of numbers or a Float32Array`,
      );
    }
    if (row.length !== columns) {
      throw new InvalidTensorError(name, `row 0 has ${columns} numbers, but row ${index} has ${row.length}`);
    }
    for (let column = 0; column < columns; column++) {
      const value: unknown = row[column];
      if (typeof value !== 'number') {
        throw new InvalidTensorError(
          name,
          `row ${index}, column ${column} is ${describe(value)}; expected a number`,
        );
      }
      data[index * columns + column] = value;
    }
  }
  return float32(data, [rows.length, columns]);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
}

/** The tensor with `float16` widened to `float32`; other tensors are returned unchanged. */
export function widen(tensor: HostTensor): Exclude<HostTensor, { type: 'float16' }> {
  if (tensor.type !== 'float16') return tensor;
  return float32(halvesToFloats(tensor.data), tensor.dims);
}
