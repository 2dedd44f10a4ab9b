// Thrown before a similarity matrix is made that would not fit the memory ceiling.

import { MmtokError } from './mmtok-error.js';

/** A coverage term's matrix would be larger than the ceiling. */
export class MatrixTooLargeError extends MmtokError {
  /** Size of the matrix in bytes. */
  readonly bytes: number;

  constructor(term: string, candidates: number, targets: number, ceiling: number) {
    const bytes = candidates * targets * 4;
    const gib = (value: number): string => `${(value / 2 ** 30).toFixed(2)} GiB`;
    super(
      'MMTOK_MATRIX_TOO_LARGE',
      `Coverage term '${term}' needs a matrix of ${candidates} × ${targets} floats (${gib(bytes)}), above the ceiling ` +
        `of ${gib(ceiling)}. Sample its targets, e.g. visionCoverage({ sample: { targets: 2048 } }), or raise maxMatrixBytes.`,
    );
    this.bytes = bytes;
  }
}
