// Thrown for files that cannot be read, or are not what they were given as.

import { MmtokError } from '@mmtok/core';

/** A file named on the command line is missing, unreadable or of the wrong kind. */
export class InputFileError extends MmtokError {
  readonly path: string;

  constructor(path: string, problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_INPUT_FILE', `Cannot use '${path}': ${problem}.`, { kind: 'data', ...options });
    this.path = path;
  }
}
