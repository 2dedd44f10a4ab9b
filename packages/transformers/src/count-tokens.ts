// Counts the tokens of a prompt before anything runs.

import { PromptMismatchError } from './errors/prompt-mismatch-error.js';
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
 * @throws PromptMismatchError if `inputs` are not what a processor returned, or the family's prompts have no placeholders.
 */
export function countTokens(family: PrunedFamily, config: ModelConfig, inputs: ModelInputs): TokenCount[] {
  if (family.route.isEncoder === true) {
    throw new PromptMismatchError(
      `prompts of ${family.name} have no image placeholders to count; how many vision tokens there are, only its ` +
        'encoder tells: read tokensBefore of a report',
    );
  }
  const { slots, textTokens } = readPrompt(family, config, inputs);
  return textTokens.map((text, row) => {
    const vision = slots[row]?.length ?? 0;
    return { vision, text, total: vision + text };
  });
}
