// Thrown when a run cannot go on, or would compare nothing.

import { MmtokError } from '@mmtok/core';

/** A run was asked for the impossible, found records of another run in its folder, or pruned nothing. */
export class RunError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_EVAL_RUN', `${problem}.`, options);
  }
}
