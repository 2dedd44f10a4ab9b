// Reads a batch of prompts: their ids, masks, and the placeholders for vision tokens.

import { PromptMismatchError } from '../errors.js';
import type { PrunedFamily } from '../families/family.js';
import { toRows } from '../internal/tensors.js';
import { type ModelConfig, type ModelInputs, type TensorLike, tensorAt } from '../internal/types.js';

/** The part of a batch of prompts that is not in the cache, as numbers. All lists have one entry per prompt. */
export interface Prompt {
  /** The ids tensor, for its class. */
  readonly tensor: TensorLike;
  readonly ids: readonly (readonly number[])[];
  /** Positions of the placeholders, ascending, including masked ones: the encoder returns a row for each. */
  readonly placeholders: readonly (readonly number[])[];
  /** The mask over cached and new tokens. */
  readonly masks: readonly (readonly number[])[];
  /** Number of positions in the cache. */
  readonly past: number;
  /** New vision tokens, without masked ones. */
  readonly visionTokens: readonly number[];
  /** New tokens that are not vision tokens, without padding. */
  readonly textTokens: readonly number[];
  /** Tokens in the cache, without padding. */
  readonly cachedTokens: readonly number[];
}

/**
 * Reads the new part of a batch of prompts.
 * @throws PromptMismatchError if ids and mask do not match.
 */
export function readPrompt(family: PrunedFamily, config: ModelConfig, inputs: ModelInputs): Prompt {
  const tensor = tensorAt(inputs, 'input_ids');
  if (tensor === undefined)
    throw new PromptMismatchError('there are no input_ids; pass everything that the processor returned');
  const ids = toRows('input_ids', tensor);
  const placeholders = placeholdersOf(family, config, inputs, ids);
  const given = tensorAt(inputs, 'attention_mask');
  const masks = given === undefined ? ids.map((row) => row.map(() => 1)) : toRows('attention_mask', given);
  const past = (masks[0]?.length ?? 0) - (ids[0]?.length ?? 0);
  if (past < 0 || masks.length !== ids.length) {
    throw new PromptMismatchError(
      `attention_mask is [${given?.dims.join(', ')}], but input_ids are [${tensor.dims.join(', ')}]`,
    );
  }
  const shown = (batchIndex: number, position: number): boolean => masks[batchIndex]?.[past + position] !== 0;
  const visionTokens = placeholders.map(
    (own, batchIndex) => own.filter((position) => shown(batchIndex, position)).length,
  );
  const textTokens = masks.map(
    (mask, batchIndex) =>
      mask.slice(past).filter((bit) => bit !== 0).length - (visionTokens[batchIndex] as number),
  );
  const cachedTokens = masks.map((mask) => mask.slice(0, past).filter((bit) => bit !== 0).length);
  return { tensor, ids, placeholders, masks, past, visionTokens, textTokens, cachedTokens };
}

/** Positions of the placeholders of each prompt. */
export function placeholdersOf(
  { adapter, isPlaceholder }: PrunedFamily,
  config: ModelConfig,
  inputs: ModelInputs,
  ids: readonly (readonly number[])[] = toRows('input_ids', tensorAt(inputs, 'input_ids') as TensorLike),
): number[][] {
  if (adapter.placeholders !== undefined) return adapter.placeholders(inputs);
  const isOne = isPlaceholder?.(config) ?? (() => false);
  return ids.map((row) => row.flatMap((id, position) => (isOne(id) ? [position] : [])));
}

/** The number of placeholders in the new part of all prompts. */
export function countPlaceholders({ placeholders }: Pick<Prompt, 'placeholders'>): number {
  return placeholders.reduce((sum, own) => sum + own.length, 0);
}

/** Whether a position of the new part is masked. */
export function isMasked({ masks, past }: Prompt, batchIndex: number, position: number): boolean {
  return masks[batchIndex]?.[past + position] === 0;
}

/** The same prompts with `count` vision tokens before each text, as the encoder of an encoder-decoder reads them. */
export function withVisionBefore(prompt: Prompt, count: number): Prompt {
  const before = (rows: readonly (readonly number[])[], fill: number): number[][] =>
    rows.map((row) => [...new Array<number>(count).fill(fill), ...row]);
  return {
    ...prompt,
    ids: before(prompt.ids, 0),
    masks: before(prompt.masks, 1),
    placeholders: prompt.ids.map(() => Array.from({ length: count }, (_, position) => position)),
    visionTokens: prompt.ids.map(() => count),
  };
}

/** Tokens of a prompt, without padding. */
export interface TokenCount {
  readonly vision: number;
  readonly text: number;
  readonly total: number;
}

/**
 * The tokens of each prompt of a batch, from a processor's output.
 * @throws PromptMismatchError if `inputs` are not a processor's output, or the family's prompts have no placeholders.
 */
export function countTokens(family: PrunedFamily, config: ModelConfig, inputs: ModelInputs): TokenCount[] {
  if (family.adapter.placement === 'beforeText') {
    throw new PromptMismatchError(
      `prompts of ${family.name} have no image placeholders to count; only the encoder knows the number of vision ` +
        'tokens, which a report has as visionTokens',
    );
  }
  const { visionTokens, textTokens } = readPrompt(family, config, inputs);
  return textTokens.map((text, batchIndex) => {
    const vision = visionTokens[batchIndex] as number;
    return { vision, text, total: vision + text };
  });
}
