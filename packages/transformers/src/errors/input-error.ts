// Thrown when a question, a conversation or an image cannot be made into a model's inputs.

import { MmtokError } from '@mmtok/core';

/** A question, a message or an image is not what the model can be asked with. */
export class InputError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_INPUT', `The model cannot be asked this: ${problem}.`, options);
  }
}
