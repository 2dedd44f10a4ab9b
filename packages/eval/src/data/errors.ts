// Errors about a dataset's files.

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

/** A file or picture of a dataset is missing; the message says what was looked for, where, and what to do. */
export class MissingFileError extends MmtokError {
  /** The file, folder or URL that was looked for or in. */
  readonly path: string;

  constructor(path: string, problem: string, hint: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_MISSING_FILE', `${path}: ${problem}`, { kind: 'data', hint, ...options });
    this.path = path;
  }
}
