// Thrown when a dataset's file or picture is not there.

import { MmtokError } from '@mmtok/core';

/** A file or picture of a dataset is missing; the message says what was looked for, where, and what to do. */
export class MissingFileError extends MmtokError {
  /** The file, folder or URL that was looked for or in. */
  readonly path: string;

  constructor(path: string, problem: string, hint: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_MISSING_FILE', `${path}: ${problem}`, { kind: 'data', hint, ...options });
    this.path = path;
  }
}
