// The tensors a selection works on, read from what the caller gave and checked once.

import { type HostTensor, halfToFloat, type MatrixInput, toMatrix } from '../backend/tensor.js';
import { InvalidTensorError } from '../errors/index.js';

/** Tensors by name, as coverage terms ask for them. */
export type NamedTensors = ReadonlyMap<string, HostTensor>;

/** Values above this would overflow when squared in float32, so a row's length could not be told. */
const LARGEST = 1e18;

/**
 * Reads named matrices, leaving out absent ones and ones without rows.
 * @throws InvalidTensorError for anything that is not a matrix of finite numbers.
 */
export function readTensors(
  inputs: Readonly<Record<string, MatrixInput | undefined>>,
): Map<string, HostTensor> {
  const tensors = new Map<string, HostTensor>();
  for (const [name, input] of Object.entries(inputs)) {
    if (input === undefined) continue;
    const tensor = toMatrix(name, input);
    if (tensor.dims[0] === 0) continue;
    assertFinite(name, tensor);
    tensors.set(name, tensor);
  }
  return tensors;
}

/** Number of rows of a tensor that has been read. */
export function rowCount(tensor: HostTensor): number {
  return tensor.dims[0] as number;
}

function assertFinite(name: string, tensor: ReturnType<typeof toMatrix>): void {
  const { data, type } = tensor;
  const isValid = type === 'float16' ? halfsAreFinite(data) : floatsAreFinite(data);
  if (isValid) return;
  const at = data.findIndex((raw) => !(Math.abs(type === 'float16' ? halfToFloat(raw) : raw) <= LARGEST));
  const columns = tensor.dims[1] as number;
  const value = type === 'float16' ? halfToFloat(data[at] as number) : data[at];
  throw new InvalidTensorError(
    name,
    `row ${Math.floor(at / columns)}, column ${at % columns} is ${value}; every value must be finite and below ${LARGEST} in magnitude`,
  );
}

/** The bits of {@link LARGEST} as a float32. */
const LARGEST_BITS = new Int32Array(Float32Array.of(LARGEST).buffer)[0] as number;

/**
 * Whether every |value| ≤ {@link LARGEST}. Works on the bits, because this runs over millions of floats before each
 * selection: without the sign, floats are ordered as their bits are, and infinity and NaN have the largest.
 */
function floatsAreFinite(data: Float32Array): boolean {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  let largest = 0;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = (bits[i] as number) & 0x7fffffff;
    if (magnitude > largest) largest = magnitude;
  }
  return largest <= LARGEST_BITS;
}

/** Whether no half-precision number is infinite or NaN (exponent bits all set). */
function halfsAreFinite(data: Uint16Array): boolean {
  return data.every((bits) => (bits & 0x7c00) !== 0x7c00);
}
