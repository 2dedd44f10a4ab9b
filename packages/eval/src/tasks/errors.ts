// Errors about tasks: there is none of that name, or it cannot read what it was given.

import { MmtokError } from '@mmtok/core';

/** A folder or file holds nothing that the task can read. */
export class UnknownFormatError extends MmtokError {
  /** The task's name. */
  readonly task: string;

  constructor(task: string, given: string, expected: string) {
    super('MMTOK_UNKNOWN_FORMAT', `Task '${task}' cannot read ${given}: ${expected}.`, { kind: 'data' });
    this.task = task;
  }
}

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
