// Thrown when a pruning method cannot be used as asked, or breaks the contract of its interface.

import { MmtokError } from '@mmtok/core';

/** A method lacks an input, was asked for an impossible number of tokens, or returned wrong indices. */
export class MethodError extends MmtokError {
  /** The method's name. */
  readonly method: string;

  constructor(method: string, problem: string) {
    super('MMTOK_METHOD', `Method '${method}': ${problem}.`);
    this.method = method;
  }
}
