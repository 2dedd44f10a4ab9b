// Thrown when something is used after its dispose().

import { MmtokError } from './mmtok-error.js';

/** A backend, prepared image or agent was used after `dispose()`. */
export class DisposedError extends MmtokError {
  constructor(what: string) {
    super('MMTOK_DISPOSED', `${what} was used after dispose(). Create a new one.`);
  }
}
