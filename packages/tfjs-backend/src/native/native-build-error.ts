// Thrown when the native addon cannot be built here, or a step of the build fails.

import { MmtokError } from '@mmtok/core';

/** A step of building the native addon failed; the message tells which, why, and what to do. */
export class NativeBuildError extends MmtokError {
  /** What to do about it. */
  readonly hint: string;

  constructor(problem: string, hint: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_NATIVE_BUILD', `${problem}. ${hint}`, options);
    this.hint = hint;
  }
}
