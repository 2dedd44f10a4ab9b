// A new turn over a cache whose sequence was shortened: the caller's full-length prompt is brought to the cache's length.

import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import { continuedPositions } from '../positions/numbering.js';
import { gatherColumns, int64Matrix, makeTensor, toRows } from '../upstream/tensors.js';
import { type CacheLike, type ModelInputs, type TensorLike, tensorAt } from '../upstream/types.js';
import type { PrunedSequence } from './pruned-sequence.js';
import type { Site } from './site.js';

/** The number of columns that a cache holds; 0 for an empty one. */
export function cachedColumns(cache: unknown): number {
  const isCache = typeof cache === 'object' && cache !== null && 'get_seq_length' in cache;
  return isCache && Object.keys(cache).length > 0 ? (cache as CacheLike).get_seq_length() : 0;
}

/** Columns that a pruned cache stands for, as the caller counts them. */
function fullColumns(past: number, sequence: PrunedSequence): number {
  return sequence.fullLength + past - sequence.cachedLength;
}

/** Whether the mask covers a pruned cache beside `input_ids`, which are new tokens alone then. */
export function isMaskOverCache(inputs: ModelInputs, sequence: PrunedSequence): boolean {
  const width = tensorAt(inputs, 'input_ids')?.dims[1] ?? 0;
  const masked = tensorAt(inputs, 'attention_mask')?.dims[1];
  const past = cachedColumns(inputs.past_key_values);
  return masked === past + width || masked === fullColumns(past, sequence) + width;
}

/**
 * Cuts `input_ids`, `attention_mask` and positions down to what the cache does not hold, in place. The caller may give
 * the full conversation, or only the new tokens with or without the mask over all. Without it, new tokens that outnumber
 * the conversation cannot be told from it and are taken for it.
 * @throws PromptMismatchError if mask and cache do not fit each other.
 */
export function resume({ model, family }: Site, inputs: ModelInputs, sequence: PrunedSequence): void {
  const tensor = tensorAt(inputs, 'input_ids') as TensorLike;
  const ids = toRows('input_ids', tensor);
  const width = ids[0]?.length ?? 0;
  const past = cachedColumns(inputs.past_key_values);
  const pastFull = fullColumns(past, sequence);
  const isWhole = width > pastFull && !isMaskOverCache(inputs, sequence);
  const fullWidth = isWhole ? width : pastFull + width;
  const fullMasks = fullMasksOf(inputs, ids, { past, pastFull, isWhole, fullWidth }, sequence);

  const fresh = isWhole ? width - pastFull : width;
  const columns = ids.map(() => Array.from({ length: fresh }, (_, at) => width - fresh + at));
  const masks = fullMasks.map((mask, row) => [
    ...(sequence.mask[row] ?? sequence.mask[0] ?? []),
    ...mask.slice(sequence.fullLength),
  ]);
  if (family.positions === 'mrope') axisPositions();
  else if (sequence.positions === 'preserve') {
    const first = family.firstPosition ?? 0;
    inputs.position_ids = int64Matrix(tensor, continuedPositions(masks, fresh, first, sequence.removed));
  }
  inputs.input_ids = gatherColumns(tensor, columns, 0n);
  inputs.attention_mask = int64Matrix(tensor, masks);

  /** The model computes positions over the full conversation; those of the new tokens are what is needed. */
  function axisPositions(): void {
    if (!isWhole) {
      throw new PromptMismatchError(
        'models with three-axis positions need the whole conversation in input_ids, not its new tokens alone',
      );
    }
    const grid = tensorAt(inputs, 'image_grid_thw') ?? sequence.imageGrid;
    if (grid !== undefined) inputs.image_grid_thw = grid;
    if (sequence.positions === 'compact') {
      const removed = masks.map(() => 0);
      const line = continuedPositions(masks, fresh, 0, removed);
      const flat = [line, line, line].flat(2);
      inputs.position_ids = makeTensor(tensor, 'int64', BigInt64Array.from(flat, BigInt), [
        3,
        line.length,
        fresh,
      ]);
      inputs.rope_deltas = int64Matrix(
        tensor,
        masks.map((mask) => [-mask.filter((bit) => bit === 0).length]),
      );
      return;
    }
    const computed = model.get_rope_index?.(tensor, grid, undefined, int64Matrix(tensor, fullMasks));
    if (computed === undefined) return;
    const [positions, deltas] = computed;
    inputs.position_ids = gatherColumns(positions, columns, 1n);
    const shift = pastFull - past;
    const shifted = Array.from(deltas.data as ArrayLike<bigint | number>, (delta) => [Number(delta) + shift]);
    inputs.rope_deltas = int64Matrix(tensor, shifted);
  }
}

interface Lengths {
  readonly past: number;
  readonly pastFull: number;
  readonly isWhole: boolean;
  readonly fullWidth: number;
}

/** The mask over the whole conversation as the caller knows it. */
function fullMasksOf(
  inputs: ModelInputs,
  ids: readonly (readonly number[])[],
  { past, pastFull, isWhole, fullWidth }: Lengths,
  sequence: PrunedSequence,
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
    `attention_mask has ${length} columns, but the conversation has ${fullWidth} (${pastFull} in the pruned cache)`,
  );
}
