// The questions of a batch, one per row, and their embeddings.

import { type Float32Tensor, InvalidOptionsError } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import type { Site } from '../hook/site.js';
import type { ResolvedOptions } from '../options.js';
import type { Prompt } from '../prompt/prompt.js';
import { int64Matrix, toFloat32 } from '../upstream/tensors.js';
import { findQuestion, type Question } from './question.js';

/** The question of each row of the batch. */
export function rowQuestions(
  { options: { processor } }: Site,
  options: ResolvedOptions,
  prompt: Prompt,
): Question[] {
  const { ids, slots, masks, past } = prompt;
  const pick = <T>(name: string, value: T | readonly T[] | undefined, row: number): T | undefined => {
    if (!Array.isArray(value)) return value as T | undefined;
    if (value.length === ids.length) return value[row] as T;
    throw new PromptMismatchError(
      `${name} has ${value.length} entries for a batch of ${ids.length}; give one per row`,
    );
  };
  return ids.map((row, at) => {
    const vision = new Set(slots[at]);
    const text = (): number[] =>
      row.filter((id, column) => id >= 0 && !vision.has(column) && masks[at]?.[past + column] !== 0);
    return findQuestion(processor, text, {
      question: pick('question', options.question, at),
      questionTokens: pick('questionTokens', options.questionTokens, at),
      keywords: options.keywords,
    });
  });
}

/**
 * The raw input embeddings `[m, D]` of a question's tokens; nothing for a question without tokens.
 * @throws InvalidOptionsError if the caller's token ids are not of the model's vocabulary.
 */
export async function textRows(
  site: Site,
  prompt: Prompt,
  { ids, source }: Question,
): Promise<Float32Tensor | undefined> {
  if (ids.length === 0) return undefined;
  const { embedText } = site.family.route;
  const embedded = await embedText(site.model, int64Matrix(prompt.tensor, [ids])).then(
    toFloat32,
    (cause: unknown) => {
      // Only the model knows its vocabulary: config.json may give it without the tokens that were added.
      if (source !== 'tokens') throw cause;
      throw new InvalidOptionsError('options mmtok of generate', [
        `questionTokens: the model cannot embed ids up to ${Math.max(...ids)}; expected ids of its own tokenizer (${cause instanceof Error ? cause.message : cause})`,
      ]);
    },
  );
  return float32(embedded.data, [ids.length, embedded.dims.at(-1) as number]);
}
