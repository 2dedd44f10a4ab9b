// Thrown before a similarity matrix is made that would not fit the memory ceiling.

import { MmtokError } from './mmtok-error.js';

/** A coverage term's matrix would be larger than the ceiling, or than the memory that can be had. */
export class MatrixTooLargeError extends MmtokError {
  /** Size of the matrix in bytes. */
  readonly bytes: number;

  /** @param ceiling in bytes; absent where memory itself ran out. */
  constructor(
    term: string,
    candidates: number,
    targets: number,
    ceiling?: number,
    options?: { readonly cause?: unknown },
  ) {
    const bytes = candidates * targets * 4;
    const gib = (value: number): string => `${(value / 2 ** 30).toFixed(2)} GiB`;
    super(
      'MMTOK_MATRIX_TOO_LARGE',
      `Coverage term '${term}' needs a matrix of ${candidates} × ${targets} floats (${gib(bytes)}), ` +
        `${ceiling === undefined ? 'which cannot be allocated' : `above the ceiling of ${gib(ceiling)}`}. ` +
        'Sample its targets, e.g. visionCoverage({ sample: { targets: 2048 } })' +
        `${ceiling === undefined ? '.' : ', or raise maxMatrixBytes.'}`,
      options,
    );
    this.bytes = bytes;
  }
}
