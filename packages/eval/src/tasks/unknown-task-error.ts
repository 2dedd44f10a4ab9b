// Thrown for the name of a task that does not exist.

import { MmtokError } from '@mmtok/core';

/** There is no task of this name; the message lists those there are. */
export class UnknownTaskError extends MmtokError {
  /** The names that exist. */
  readonly known: readonly string[];

  constructor(name: string, known: readonly string[]) {
    super(
      'MMTOK_UNKNOWN_TASK',
      `There is no task '${name}'. Known: ${known.join(', ')}. For your own images and questions, use folderTask().`,
    );
    this.known = known;
  }
}
