// Thrown when a model cannot be loaded from a folder or the hub.

import { MmtokError } from '@mmtok/core';

/** The folder or hub id is not a vision-language model that transformers.js can load. */
export class ModelLoadError extends MmtokError {
  constructor(source: string, problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_MODEL_LOAD', `Cannot load a model from '${source}': ${problem}.`, options);
  }
}
