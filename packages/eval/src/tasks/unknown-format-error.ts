// Thrown when the data given to a task is in none of the forms it reads.

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
