// Thrown when a prompt, its images and its cache do not belong together.

import { MmtokError } from '@mmtok/core';

/** Placeholders, vision features, mask or cache do not fit each other, so that pruning would gather the wrong rows. */
export class PromptMismatchError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_PROMPT_MISMATCH', `Prompt and images do not fit: ${problem}.`);
  }
}
