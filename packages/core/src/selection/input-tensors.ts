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

function assertFinite(name: string, tensor: HostTensor): void {
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

/**
 * Whether every |value| ≤ {@link LARGEST}. Branch-free, because this runs over millions of floats before each
 * selection: scaling sends too large values to infinity, and 0 · infinity and 0 · NaN poison the sum.
 */
function floatsAreFinite(data: Float32Array | Int32Array): boolean {
  const toInfinity = Number.MAX_VALUE / LARGEST;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const end = data.length - (data.length % 4);
  for (let i = 0; i < end; i += 4) {
    a += (data[i] as number) * toInfinity * 0;
    b += (data[i + 1] as number) * toInfinity * 0;
    c += (data[i + 2] as number) * toInfinity * 0;
    d += (data[i + 3] as number) * toInfinity * 0;
  }
  for (let i = end; i < data.length; i++) a += (data[i] as number) * toInfinity * 0;
  return !Number.isNaN(a + b + c + d);
}

/** Whether no half-precision number is infinite or NaN (exponent bits all set). */
function halfsAreFinite(data: Uint16Array): boolean {
  return data.every((bits) => (bits & 0x7c00) !== 0x7c00);
}
