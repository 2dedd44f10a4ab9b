// Reads a prompt: where its vision tokens are, which image and tile they belong to. Knows nothing of selections.

import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import type { EncodedUnit, PrunedFamily, UnitPlace } from '../models/family.js';
import { toRows } from '../upstream/tensors.js';
import { type ModelConfig, type ModelInputs, type TensorLike, tensorAt } from '../upstream/types.js';

/** The part of a prompt that the cache does not hold, as numbers. */
export interface Prompt {
  /** The tensor of the ids, for its class. */
  readonly tensor: TensorLike;
  /** Token ids of each row. */
  readonly ids: readonly (readonly number[])[];
  /** Columns of the placeholders of each row, ascending. */
  readonly slots: readonly (readonly number[])[];
  /** The mask over cached and new columns, per row. */
  readonly masks: readonly (readonly number[])[];
  /** Columns that the cache holds. */
  readonly past: number;
  /** For each row, its new tokens that are no vision tokens, without padding. */
  readonly textTokens: readonly number[];
  /** For each row, the tokens that the cache holds, without padding. */
  readonly cachedTokens: readonly number[];
}

/** A unit with its place: rows `start … start + tokens` of the features. */
export interface PlacedUnit extends EncodedUnit {
  readonly start: number;
}

/** An image of a row, of one or more units. */
export interface PlacedImage {
  readonly row: number;
  /** Number of the image within its row. */
  readonly image: number;
  readonly units: readonly PlacedUnit[];
  readonly tokens: number;
}

/**
 * Reads the new part of a prompt.
 * @throws PromptMismatchError if ids and mask do not fit each other.
 */
export function readPrompt(family: PrunedFamily, config: ModelConfig, inputs: ModelInputs): Prompt {
  const tensor = tensorAt(inputs, 'input_ids');
  if (tensor === undefined)
    throw new PromptMismatchError('there are no input_ids; pass all the processor returned');
  const ids = toRows('input_ids', tensor);
  const slots = family.route.slots?.(inputs) ?? placeholdersOf(ids, family, config);
  const given = tensorAt(inputs, 'attention_mask');
  const masks = given === undefined ? ids.map((row) => row.map(() => 1)) : toRows('attention_mask', given);
  const past = (masks[0]?.length ?? 0) - (ids[0]?.length ?? 0);
  if (past < 0 || masks.length !== ids.length) {
    throw new PromptMismatchError(
      `attention_mask is [${given?.dims.join(', ')}], but input_ids are [${tensor.dims.join(', ')}]`,
    );
  }
  const textTokens = masks.map((mask, row) => {
    const vision = new Set(slots[row]);
    return mask.slice(past).filter((bit, column) => bit !== 0 && !vision.has(column)).length;
  });
  const cachedTokens = masks.map((mask) => mask.slice(0, past).filter((bit) => bit !== 0).length);
  return { tensor, ids, slots, masks, past, textTokens, cachedTokens };
}

/** Columns of the placeholders of each row. */
export function placeholdersOf(
  ids: readonly (readonly number[])[],
  family: PrunedFamily,
  config: ModelConfig,
): number[][] {
  const isPlaceholder = family.isPlaceholder?.(config) ?? (() => false);
  return ids.map((row) => row.flatMap((id, column) => (isPlaceholder(id) ? [column] : [])));
}

/** How many placeholders the new part has, in all rows. */
export function countSlots({ slots }: Pick<Prompt, 'slots'>): number {
  return slots.reduce((sum, row) => sum + row.length, 0);
}

/** Lengths of the runs of neighbouring columns. */
export function runsOf(slots: readonly number[]): number[] {
  const runs: number[] = [];
  slots.forEach((column, at) => {
    const joins = at > 0 && slots[at - 1] === column - 1;
    if (joins) runs[runs.length - 1] = (runs.at(-1) as number) + 1;
    else runs.push(1);
  });
  return runs;
}

/**
 * Deals the units out to the rows' placeholders, in order, and groups tiles into images.
 * Columns below 0 are placeholders that the cache holds.
 * @param features how many vision tokens the encoder gave.
 * @throws PromptMismatchError if the counts do not fit.
 */
export function placeImages(
  { ids, slots }: Pick<Prompt, 'ids' | 'slots'>,
  units: readonly EncodedUnit[],
  features: number,
  closesImage: ((place: UnitPlace) => boolean) | undefined,
  tokenId: (token: string) => number | undefined,
): PlacedImage[] {
  const placeholders = slots.reduce((sum, row) => sum + row.length, 0);
  if (features !== placeholders) {
    throw new PromptMismatchError(
      `the prompt has ${placeholders} image placeholders, but the images have ${features} vision tokens; ` +
        'build the prompt with the processor of this very model, and pass all images it names',
    );
  }
  const images: PlacedImage[] = [];
  let next = 0;
  let start = 0;
  slots.forEach((columns, row) => {
    let used = 0;
    let image = 0;
    let open: PlacedUnit[] = [];
    while (used < columns.length) {
      const unit = units[next++] as EncodedUnit;
      const last = columns[used + unit.tokens - 1];
      if (last === undefined) {
        throw new PromptMismatchError(
          `an image of ${unit.tokens} vision tokens does not fit into row ${row} of the batch`,
        );
      }
      open.push({ ...unit, start });
      const place = { ids: ids[row] as readonly number[], first: columns[used] as number, last, tokenId };
      used += unit.tokens;
      start += unit.tokens;
      const isCached = last < 0;
      if (used === columns.length || isCached || (closesImage?.(place) ?? true)) {
        images.push({
          row,
          image: image++,
          units: open,
          tokens: open.reduce((sum, one) => sum + one.tokens, 0),
        });
        open = [];
      }
    }
  });
  return images;
}
