// Thrown when an engine, or the device asked of it, cannot be used on this machine.

import { MmtokError } from './mmtok-error.js';

/** An engine or execution device is missing or broken; the message tells how to get it. */
export class BackendUnavailableError extends MmtokError {
  readonly backend: string;
  /** What to do, e.g. an install command. */
  readonly hint: string;

  constructor(backend: string, problem: string, hint: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_BACKEND_UNAVAILABLE', `Backend '${backend}' is unavailable: ${problem}. ${hint}`, options);
    this.backend = backend;
    this.hint = hint;
  }
}
