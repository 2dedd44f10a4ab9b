// The tensors of a selection: reads them from the caller's input, and checks them by their row norms.

import { type HostTensor, type MatrixInput, type MatrixTensor, toMatrix, widen } from '../backend/tensor.js';
import { TEXT } from '../coverage/coverage-term.js';
import { InvalidTensorError } from '../errors.js';

/** Tensors by name, as coverage terms ask for them. */
export type NamedTensors = ReadonlyMap<string, MatrixTensor>;

/** Row norms `[rows, 1]` by tensor, so that a tensor with two names has one entry. */
export type RowNorms = Map<HostTensor, HostTensor>;

/** Larger values would overflow when squared in float32, so row norms would be unusable. */
const LARGEST = 1e18;
/** Shorter rows cannot be normalized: the kernels divide by at least this. */
const SHORTEST = 1e-8;
/** Tensors whose rows are compared by direction. Rows of other tensors may have any length. */
const DIRECTIONS = ['vision', 'visionFeatures', TEXT];

/**
 * Reads named matrices, skipping absent ones.
 * @throws InvalidTensorError for anything that is not a matrix of numbers.
 */
export function readTensors(
  inputs: Readonly<Record<string, MatrixInput | undefined>>,
): Map<string, MatrixTensor> {
  const tensors = new Map<string, MatrixTensor>();
  for (const [name, input] of Object.entries(inputs)) {
    if (input !== undefined) tensors.set(name, toMatrix(name, input));
  }
  return tensors;
}

/** Number of rows of a tensor. */
export function rowCount(tensor: HostTensor): number {
  return tensor.dims[0] as number;
}

/**
 * Checks a tensor by its row norms, which the backend computes anyway. Values are scanned only if something is wrong.
 * @throws InvalidTensorError for numbers that are not finite or too large, and for rows too short to be normalized.
 */
export function checkRows(name: string, tensor: MatrixTensor, norms: ArrayLike<number>): void {
  for (let row = 0; row < norms.length; row++) {
    const norm = norms[row] as number;
    if (norm >= SHORTEST && norm <= LARGEST) continue;
    if (norm >= 0 && norm < SHORTEST) {
      if (!DIRECTIONS.includes(name) || isZero(tensor, row)) continue;
      throw new InvalidTensorError(
        name,
        `row ${row} is shorter than ${SHORTEST}, so its direction would be lost; scale the tensor up`,
      );
    }
    throw notFinite(name, tensor);
  }
}

function notFinite(name: string, tensor: MatrixTensor): InvalidTensorError {
  const { data } = widen(tensor);
  const columns = tensor.dims[1] as number;
  const at = data.findIndex((value) => !(Math.abs(value) <= LARGEST));
  return new InvalidTensorError(
    name,
    at < 0
      ? `a row is longer than ${LARGEST}; scale the tensor down`
      : `row ${Math.floor(at / columns)}, column ${at % columns} is ${data[at]}; every value must be finite and below ${LARGEST} in magnitude`,
  );
}

function isZero({ data, dims, type }: MatrixTensor, row: number): boolean {
  const width = dims[1] as number;
  const isNothing = (value: number): boolean => value === 0 || (type === 'float16' && value === 0x8000);
  return (data.subarray(row * width, (row + 1) * width) as Float32Array).every(isNothing);
}
