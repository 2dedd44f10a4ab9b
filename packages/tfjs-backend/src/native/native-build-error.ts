// Thrown when the native addon cannot be built here, or a step of the build fails.

import { MmtokError } from '@mmtok/core';

/** A step of building the native addon failed; the message says which, why, and what to do. */
export class NativeBuildError extends MmtokError {
  /** What to do about it. */
  declare readonly hint: string;
  /** Whether the machine lacks what the build needs (platform, tools, space, downloads), rather than the build being broken. */
  readonly isUnavailable: boolean;

  constructor(
    problem: string,
    hint: string,
    options: { readonly cause?: unknown; readonly isUnavailable?: boolean } = {},
  ) {
    super('MMTOK_NATIVE_BUILD', problem, { kind: 'environment', hint, cause: options.cause });
    this.isUnavailable = options.isUnavailable ?? false;
  }
}
