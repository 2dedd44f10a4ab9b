// Thrown when a tensor has the wrong shape, type or values.

import { MmtokError } from './mmtok-error.js';

/** A tensor has the wrong shape, element type, length or values (NaN, infinity, negative coverage). */
export class InvalidTensorError extends MmtokError {
  /** Which tensor, e.g. `'vision'` or `'coverage(text).affinity'`. */
  readonly tensor: string;

  constructor(tensor: string, problem: string) {
    super('MMTOK_INVALID_TENSOR', `Tensor '${tensor}': ${problem}.`);
    this.tensor = tensor;
  }
}
