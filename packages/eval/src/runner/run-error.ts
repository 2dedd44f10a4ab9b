// Thrown when a run cannot begin or go on as asked, or compared nothing.

import { MmtokError } from '@mmtok/core';

/** A run, merge or report was asked for the impossible, or found records of another run in its folder. */
export class RunError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_EVAL_RUN', `${problem}.`, options);
  }
}

/** A file of a run cannot be written, mostly as the disk is full; what was written before is kept. */
export class WriteError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_WRITE', `${problem}.`, { kind: 'environment', ...options });
  }
}

/** A run was stopped by its signal; what it had measured by then is kept. */
export class RunStoppedError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_EVAL_STOPPED', `${problem}.`);
  }
}

/** A model pruned otherwise than told, or nothing was pruned, so that scores would compare nothing. */
export class PruningError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_EVAL_PRUNING', `${problem}.`, { kind: 'environment' });
  }
}
