// Thrown when the command line itself makes no sense.

import { MmtokError } from '@mmtok/core';

/** An argument or option has a value that means nothing. */
export class UsageError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_USAGE', problem);
  }
}
