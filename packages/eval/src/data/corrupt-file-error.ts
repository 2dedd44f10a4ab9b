// Thrown when a dataset's file is there but cannot be read as what it should be.

import { MmtokError } from '@mmtok/core';

/** A file of a dataset, or one line or row of it, is damaged or has the wrong form. */
export class CorruptFileError extends MmtokError {
  /** The file, with its line or row where known, e.g. `'questions.jsonl, line 3'`. */
  readonly where: string;

  constructor(where: string, problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_CORRUPT_FILE', `${where}: ${problem}.`, { kind: 'data', ...options });
    this.where = where;
  }
}
