// Everything about position ids: whether kept tokens keep theirs, how they are counted, and how they continue over a cache.

import { UnsupportedModelError } from '../errors.js';
import type { PrunedModel } from '../families/family.js';
import { gatherPositions, int64Matrix, makeTensor } from '../internal/tensors.js';
import { type ModelInputs, type TensorLike, tensorAt } from '../internal/types.js';
import type { PositionPolicy } from '../report.js';

type Masks = readonly (readonly number[])[];

/**
 * The policy for a model: the caller's choice, or `preserve` if the decoder takes position ids.
 * @throws UnsupportedModelError if positions should be preserved but the decoder counts them itself.
 */
export function positionPolicy(
  { model, family }: Pick<PrunedModel, 'model' | 'family'>,
  requested: PositionPolicy | 'auto',
): PositionPolicy {
  if (requested === 'compact') return 'compact';
  if (family.packing !== undefined) {
    if (requested === 'auto') return 'compact';
    throw new UnsupportedModelError(
      String(model.config.model_type),
      "positions: 'preserve' is not possible, because padding tokens have no position in the full prompt; use 'auto' or 'compact'",
    );
  }
  const takesPositions =
    family.positions !== 'encoder' &&
    model.sessions[family.adapter.decoder]?.inputNames.includes('position_ids') === true;
  if (takesPositions) return 'preserve';
  if (requested === 'auto') return 'compact';
  throw new UnsupportedModelError(
    String(model.config.model_type),
    "positions: 'preserve' needs a decoder with the input position_ids, but this export computes positions itself; use 'auto' or 'compact'",
  );
}

/** Positions of all tokens, counted over the mask; masked tokens get 1, as in transformers.js. */
function countPositions(mask: readonly number[], first: number): number[] {
  let next = first;
  return mask.map((bit) => (bit === 0 ? 1 : next++));
}

/** Positions of the last `count` tokens of prompts from which `removed[batchIndex]` tokens were removed earlier. */
function continuedPositions(
  masks: Masks,
  count: number,
  first: number,
  removed: readonly number[],
): number[][] {
  return masks.map((mask, batchIndex) => {
    const last = countPositions(mask, first).slice(mask.length - count);
    const bits = mask.slice(mask.length - count);
    return last.map((position, at) =>
      bits[at] === 0 ? position : position + (removed[batchIndex] as number),
    );
  });
}

/** A batch of prompts cut down to `kept` positions. */
export interface PositionCut {
  /** The ids tensor, for its class. */
  readonly ids: TensorLike;
  /** Masks over cached and new tokens, before and after the cut. */
  readonly masks: Masks;
  readonly shortMasks: Masks;
  /** Positions of the new part to keep; −1 is padding. */
  readonly kept: readonly (readonly number[])[];
  /** The number of positions removed from the new part. */
  readonly dropped: number;
  /** Tokens removed from the cache in earlier turns. */
  readonly removedBefore: readonly number[];
  readonly policy: PositionPolicy;
}

/** The position inputs of a shortened prompt. */
export function shortenedPositions(
  { model, family }: PrunedModel,
  inputs: ModelInputs,
  cut: PositionCut,
): ModelInputs {
  const { ids, masks, shortMasks, kept, policy } = cut;
  const given = tensorAt(inputs, 'position_ids');
  if (family.positions !== 'mrope') {
    // With `compact`, none: the model counts them from the mask.
    if (policy === 'compact') return { position_ids: null };
    const width = ids.dims[1] as number;
    const first = family.firstPosition ?? 0;
    const full = given ?? int64Matrix(ids, continuedPositions(masks, width, first, cut.removedBefore));
    return { position_ids: gatherPositions(full, kept, 1n) };
  }
  if (policy === 'compact') return compactAxes(ids, shortMasks, kept[0]?.length ?? 0);
  let full = given;
  let deltas = tensorAt(inputs, 'rope_deltas');
  if (full === undefined || deltas === undefined) {
    // Over the full prompt: the model advances by whole image grids and would misread a shortened prompt.
    const grid = tensorAt(inputs, 'image_grid_thw');
    const computed = model.get_rope_index?.(ids, grid, undefined, int64Matrix(ids, masks));
    full ??= computed?.[0];
    deltas ??= computed?.[1];
  }
  return preservedAxes(ids, full as TensorLike, deltas as TensorLike, kept, cut.dropped);
}

/** A new part of a conversation over a shortened cache. */
export interface PositionResumption {
  /** The caller's ids: the whole conversation if `fullMasks` covers them. */
  readonly ids: TensorLike;
  /** Masks over the whole conversation, and over the shortened cache plus the new part. */
  readonly fullMasks: Masks;
  readonly masks: Masks;
  /** Positions of the new part within `ids`. */
  readonly fresh: readonly (readonly number[])[];
  /** How many positions the cache is shorter than the sequence it represents. */
  readonly shift: number;
  /** Tokens removed from the cache, per prompt. */
  readonly removed: readonly number[];
  readonly grid: TensorLike | undefined;
  readonly policy: PositionPolicy;
}

/** The position inputs of a new part of a conversation; nothing if the model counts them itself. */
export function resumedPositions(
  { model, family }: PrunedModel,
  resumption: PositionResumption,
): ModelInputs {
  const { ids, fullMasks, masks, fresh, shift, removed, grid, policy } = resumption;
  const count = fresh[0]?.length ?? 0;
  if (family.positions !== 'mrope') {
    if (policy === 'compact') return {};
    const first = family.firstPosition ?? 0;
    return { position_ids: int64Matrix(ids, continuedPositions(masks, count, first, removed)) };
  }
  const described = grid === undefined ? {} : { image_grid_thw: grid };
  if (policy === 'compact') return { ...described, ...compactAxes(ids, masks, count) };
  const computed = model.get_rope_index?.(ids, grid, undefined, int64Matrix(ids, fullMasks));
  if (computed === undefined) return described;
  return { ...described, ...preservedAxes(ids, computed[0], computed[1], fresh, shift) };
}

/** The position inputs of one more token; nothing if the model counts it correctly itself. */
export function stepPositions(
  { family }: PrunedModel,
  inputs: ModelInputs,
  { policy, removed }: { readonly policy: PositionPolicy; readonly removed: readonly number[] },
  masks: Masks | undefined,
): ModelInputs {
  const ids = tensorAt(inputs, 'input_ids');
  if (policy === 'compact' || family.positions !== '1d' || masks === undefined || ids === undefined)
    return {};
  const first = family.firstPosition ?? 0;
  const positions = continuedPositions(masks, ids.dims[1] as number, first, removed);
  return { position_ids: int64Matrix(ids, positions) };
}

/** Contiguous positions on three axes `[3, batch, count]`, and the offset of every later token. */
function compactAxes(like: TensorLike, masks: Masks, count: number): ModelInputs {
  const rows = masks.map((mask) => countPositions(mask, 0).slice(mask.length - count));
  const axes = BigInt64Array.from([rows, rows, rows].flat(2), BigInt);
  return {
    position_ids: makeTensor(like, 'int64', axes, [3, rows.length, count]),
    rope_deltas: int64Matrix(
      like,
      masks.map((mask) => [-mask.filter((bit) => bit === 0).length]),
    ),
  };
}

/** The original positions of some tokens, and the offset of every later token from its index in a cache shorter by `shift`. */
function preservedAxes(
  like: TensorLike,
  full: TensorLike,
  deltas: TensorLike,
  kept: readonly (readonly number[])[],
  shift: number,
): ModelInputs {
  const shifted = Array.from(deltas.data as ArrayLike<bigint | number>, (delta) => [Number(delta) + shift]);
  return { position_ids: gatherPositions(full, kept, 1n), rope_deltas: int64Matrix(like, shifted) };
}
