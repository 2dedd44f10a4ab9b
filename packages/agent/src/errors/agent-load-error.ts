// Thrown when the model of an agent cannot be loaded.

import { MmtokError } from '@mmtok/core';

/** The folder or hub id is not a model that can be an agent, or transformers.js is missing. */
export class AgentLoadError extends MmtokError {
  constructor(source: string, problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_AGENT_LOAD', `Cannot load an agent from '${source}': ${problem}.`, options);
  }
}
