// Counts the tokens of a prompt before anything runs.

import type { PrunedFamily } from './models/family.js';
import { readPrompt } from './prompt/prompt.js';
import type { ModelConfig, ModelInputs } from './upstream/types.js';

/** Tokens of a prompt, without padding. */
export interface TokenCount {
  readonly vision: number;
  readonly text: number;
  readonly total: number;
}

/**
 * The tokens of each row of a batch, from what a processor returned.
 * @throws PromptMismatchError if `inputs` are not what a processor returned.
 */
export function countTokens(family: PrunedFamily, config: ModelConfig, inputs: ModelInputs): TokenCount[] {
  const { slots, textTokens } = readPrompt(family, config, inputs);
  return textTokens.map((text, row) => {
    const vision = slots[row]?.length ?? 0;
    return { vision, text, total: vision + text };
  });
}
