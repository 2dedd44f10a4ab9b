// Records each shortened sequence for as long as its cache lives, and adjusts a new turn over that cache to the cache's
// length.

import { PromptMismatchError } from '../errors.js';
import type { PrunedModel } from '../families/family.js';
import { gatherPositions, int64Matrix, toRows } from '../internal/tensors.js';
import { type CacheLike, type ModelInputs, type TensorLike, tensorAt } from '../internal/types.js';
import type { EarlierImages } from '../prefill/encode.js';
import type { ShortenedSequence } from '../prefill/shorten.js';
import { resumedPositions } from '../prompt/positions.js';

/** A shortened sequence, with the encoded images if later turns may select again. */
export interface RememberedSequence extends ShortenedSequence {
  readonly images?: EarlierImages | undefined;
}

/**
 * The shortened sequences behind callers' caches, keyed by the first tensor of the cache. Every step replaces that tensor,
 * so a copy of a cache is recognized, and a cache that was emptied and refilled is not. One map serves all handles, because
 * a cache outlives them.
 */
const sequences = new WeakMap<object, RememberedSequence>();

function firstTensor(cache: unknown): object | undefined {
  const first: unknown = typeof cache === 'object' && cache !== null ? Object.values(cache)[0] : undefined;
  return typeof first === 'object' && first !== null ? first : undefined;
}

/** Records that a cache, in its current state, holds a shortened sequence. */
export function rememberSequence(cache: unknown, sequence: RememberedSequence): void {
  const tensor = firstTensor(cache);
  if (tensor !== undefined) sequences.set(tensor, sequence);
}

/** The shortened sequence in a cache; nothing for an empty cache or one that was never pruned. */
export function sequenceOf(cache: unknown): RememberedSequence | undefined {
  const tensor = firstTensor(cache);
  return tensor === undefined ? undefined : sequences.get(tensor);
}

/** The number of tokens in a cache; 0 for an empty one. */
export function cachedLength(cache: unknown): number {
  const isCache = typeof cache === 'object' && cache !== null && 'get_seq_length' in cache;
  return isCache && Object.keys(cache).length > 0 ? (cache as CacheLike).get_seq_length() : 0;
}

/** The number of tokens that a shortened cache represents, as the caller counts them. */
function fullLength(past: number, sequence: ShortenedSequence): number {
  return sequence.fullLength + past - sequence.cachedLength;
}

/** Whether the mask also spans a shortened cache; `input_ids` are then only the new tokens. */
export function isMaskOverCache(inputs: ModelInputs, sequence: ShortenedSequence): boolean {
  const width = tensorAt(inputs, 'input_ids')?.dims[1] ?? 0;
  const masked = tensorAt(inputs, 'attention_mask')?.dims[1];
  const past = cachedLength(inputs.past_key_values);
  return masked === past + width || masked === fullLength(past, sequence) + width;
}

/**
 * The `input_ids`, `attention_mask` and positions of the tokens that are not in the cache. The caller may pass the full
 * conversation, or only the new tokens, with or without the mask over everything. Without a mask, new tokens that outnumber
 * the conversation are indistinguishable from the full conversation and are treated as such.
 * @throws PromptMismatchError if mask and cache do not match.
 */
export function resumed(pruned: PrunedModel, inputs: ModelInputs, sequence: ShortenedSequence): ModelInputs {
  const tensor = tensorAt(inputs, 'input_ids') as TensorLike;
  const ids = toRows('input_ids', tensor);
  const width = ids[0]?.length ?? 0;
  const past = cachedLength(inputs.past_key_values);
  const pastFull = fullLength(past, sequence);
  const isWhole = width > pastFull && !isMaskOverCache(inputs, sequence);
  if (pruned.family.positions === 'mrope' && !isWhole) {
    throw new PromptMismatchError(
      'models with three-axis positions need the whole conversation in input_ids, not only its new tokens',
    );
  }
  const fullWidth = isWhole ? width : pastFull + width;
  const fullMasks = fullMasksOf(inputs, ids, { past, pastFull, isWhole, fullWidth }, sequence);
  const count = isWhole ? width - pastFull : width;
  const fresh = ids.map(() => Array.from({ length: count }, (_, at) => width - count + at));
  const masks = fullMasks.map((mask, batchIndex) => [
    ...(sequence.mask[batchIndex] ?? sequence.mask[0] ?? []),
    ...mask.slice(sequence.fullLength),
  ]);
  return {
    input_ids: gatherPositions(tensor, fresh, 0n),
    attention_mask: int64Matrix(tensor, masks),
    ...resumedPositions(pruned, {
      ids: tensor,
      fullMasks,
      masks,
      fresh,
      shift: pastFull - past,
      removed: sequence.removed,
      grid: tensorAt(inputs, 'image_grid_thw') ?? sequence.imageGrid,
      policy: sequence.policy,
    }),
  };
}

interface Lengths {
  readonly past: number;
  readonly pastFull: number;
  readonly isWhole: boolean;
  readonly fullWidth: number;
}

/** The mask over the whole conversation from the caller's point of view. */
function fullMasksOf(
  inputs: ModelInputs,
  ids: readonly (readonly number[])[],
  { past, pastFull, isWhole, fullWidth }: Lengths,
  sequence: ShortenedSequence,
): number[][] {
  const ones = (count: number): number[] => new Array<number>(count).fill(1);
  const given = tensorAt(inputs, 'attention_mask');
  const masks = given === undefined ? undefined : toRows('attention_mask', given);
  const length = masks?.[0]?.length;
  if (masks === undefined) return ids.map(() => ones(fullWidth));
  if (length === fullWidth) return masks;
  const width = ids[0]?.length ?? 0;
  if (!isWhole && length === width) return masks.map((mask) => [...ones(pastFull), ...mask]);
  if (!isWhole && length === past + width) {
    return masks.map((mask) => [...ones(sequence.fullLength), ...mask.slice(sequence.cachedLength)]);
  }
  throw new PromptMismatchError(
    `attention_mask has ${length} entries per prompt, but the conversation has ${fullWidth} tokens (${pastFull} in the pruned cache)`,
  );
}
