// The tensors a selection works on, read from what the caller gave and checked once.

import { type HostTensor, type MatrixInput, toMatrix, widen } from '../backend/tensor.js';
import { InvalidTensorError } from '../errors.js';

/** Tensors by name, as coverage terms ask for them. */
export type NamedTensors = ReadonlyMap<string, HostTensor>;

/** The lengths of tensors' rows, `[rows, 1]`, by tensor: under two names it is still one. */
export type RowNorms = Map<HostTensor, HostTensor>;

/** Values above this would overflow when squared in float32, so a row's length could not be told. */
const LARGEST = 1e18;

/**
 * Reads named matrices, leaving out absent ones.
 * @throws InvalidTensorError for anything that is not a matrix of numbers.
 */
export function readTensors(
  inputs: Readonly<Record<string, MatrixInput | undefined>>,
): Map<string, HostTensor> {
  const tensors = new Map<string, HostTensor>();
  for (const [name, input] of Object.entries(inputs)) {
    if (input === undefined) continue;
    tensors.set(name, toMatrix(name, input));
  }
  return tensors;
}

/** Number of rows of a tensor that has been read. */
export function rowCount(tensor: HostTensor): number {
  return tensor.dims[0] as number;
}

/** Whether a row of this norm can be worked with. */
export function isUsableNorm(norm: number): boolean {
  return norm <= LARGEST;
}

/**
 * The error for a tensor whose row norms are not all usable, telling where. Inputs are checked by the norms that the
 * backend computes anyway, so that this scan is made for wrong inputs only.
 */
export function notFinite(name: string, tensor: HostTensor): InvalidTensorError {
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
