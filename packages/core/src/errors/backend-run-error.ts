// Thrown when an engine fails while it runs a program: a wrong program, or a defect or limit of the engine.

import { MmtokError } from './mmtok-error.js';

/** An engine failed on a program; `cause` is the engine's own error. */
export class BackendRunError extends MmtokError {
  readonly backend: string;
  readonly program: string;

  constructor(backend: string, program: string, cause: unknown) {
    const detail = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
    super(
      'MMTOK_BACKEND_RUN',
      `Backend '${backend}' failed on the program '${program}': ${detail}. ` +
        'If the program is your own, try it on createReferenceBackend(), whose messages are more precise.',
      { cause },
    );
    this.backend = backend;
    this.program = program;
  }
}
