// Thrown by a backend that lacks an operation a program uses.

import { MmtokError } from './mmtok-error.js';

/** A program uses an operation (or a form of it) that the backend does not implement. */
export class UnsupportedOpError extends MmtokError {
  readonly op: string;
  readonly backend: string;

  constructor(op: string, backend: string, detail?: string) {
    super(
      'MMTOK_UNSUPPORTED_OP',
      `Backend '${backend}' does not support the operation '${op}'${detail === undefined ? '' : ` (${detail})`}. ` +
        'Use another backend, or write the program with other operations.',
    );
    this.op = op;
    this.backend = backend;
  }
}
