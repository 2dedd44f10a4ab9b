// Finds the images of a batch of prompts: their rows in the encoder's output, and their placeholders.

import { sum } from '@mmtok/core/internal';
import { PromptMismatchError } from '../errors.js';
import type { PrunedFamily, PrunedModel, Tile } from '../families/family.js';
import { tilesFromRuns } from '../families/layout.js';
import { rowCount } from '../internal/tensors.js';
import {
  type ModelInputs,
  numberAt,
  type ProcessorLike,
  type TensorLike,
  tensorAt,
} from '../internal/types.js';
import type { ImagePart } from '../report.js';
import { countPlaceholders, isMasked, type Prompt } from './prompt.js';

/** A tile with its rows: `start … start + visionTokens` of the encoder's output. */
export interface PlacedTile extends Tile {
  readonly start: number;
  /** Absent if the prompt does not say. */
  readonly imagePart?: ImagePart;
}

/** An image of a prompt, with one or more tiles. */
export interface PlacedImage {
  readonly batchIndex: number;
  /** Index of the image within its prompt. */
  readonly image: number;
  readonly tiles: readonly PlacedTile[];
  /** Its rows in the encoder's output: `start … start + visionTokens`. */
  readonly start: number;
  readonly visionTokens: number;
  /** The prompt position of each of its rows. Negative for rows in the cache. */
  readonly positions: readonly number[];
  /** The rows that the model reads when no token is pruned, if these are not simply all rows. */
  readonly unpruned?: readonly number[];
}

/**
 * The images in the new part of the prompts, with their rows in the encoder's output. Images that are already in the cache
 * are skipped.
 * @param cached placeholders of each prompt that are already in the cache.
 * @param inputs the inputs that describe the images.
 * @param projected the encoder's output.
 * @throws PromptMismatchError if the numbers of placeholders and vision tokens differ.
 */
export function locateImages(
  { family, model, processor }: PrunedModel,
  cached: readonly number[],
  inputs: ModelInputs,
  prompt: Prompt,
  projected: TensorLike,
): PlacedImage[] {
  const rows = rowCount(projected);
  const inCache = sum(cached);
  // The caller may pass the images of the whole conversation, or only the images of the new part.
  const hasAll = inCache > 0 && rows === countPlaceholders(prompt) + inCache;
  const behind = prompt.placeholders.map((_, at) => (hasAll ? (cached[at] ?? 0) : 0));
  // Cached placeholders get positions below 0, so they come first in their prompt.
  const placeholders = prompt.placeholders.map((own, at) => {
    const count = behind[at] as number;
    return [...Array.from({ length: count }, (_, index) => index - count - 1), ...own];
  });
  const count = countPlaceholders({ placeholders });
  expectNoClassTokens(processor, count, rows, tensorAt(inputs, 'pixel_values')?.dims[0] ?? 1);
  const context = { config: model.config, inputs, features: projected, runs: placeholders.flatMap(runsOf) };
  const stated = family.tiles(context);
  // An export may arrange its output differently than its inputs suggest; the tiles are then read from the prompt.
  const addsUp = sum(stated.map((tile) => tile.visionTokens)) === rows;
  const tiles = addsUp ? stated : tilesFromRuns(context);
  const tokenId = (token: string): number | undefined => processor.tokenizer.convert_tokens_to_ids(token);
  const images = placeImages({ ids: prompt.ids, placeholders }, tiles, rows, family, tokenId);
  return images.filter(({ positions }) => (positions[0] ?? 0) >= 0);
}

/**
 * Older LLaVA checkpoints have processors that reserve a placeholder for the encoder's class token, which their exports drop.
 * @throws PromptMismatchError if placeholders and vision tokens differ by exactly that.
 */
function expectNoClassTokens({ config }: ProcessorLike, places: number, rows: number, images: number): void {
  const more = numberAt(config ?? {}, 'num_additional_image_tokens') ?? 0;
  if (more <= 0 || places - rows !== more * images) return;
  throw new PromptMismatchError(
    `the prompt has ${places} image placeholders for ${rows} vision tokens, because the processor reserves a placeholder for a class ` +
      `token that the vision encoder drops; build the inputs with processInputs() or createVlm() and set vision_feature_select_strategy ` +
      "to 'default' in processor_config.json, or set num_additional_image_tokens to 0 there",
  );
}

/** Lengths of the runs of adjacent positions. */
export function runsOf(positions: readonly number[]): number[] {
  const runs: number[] = [];
  positions.forEach((position, at) => {
    const joins = at > 0 && positions[at - 1] === position - 1;
    if (joins) runs[runs.length - 1] = (runs.at(-1) as number) + 1;
    else runs.push(1);
  });
  return runs;
}

/**
 * Assigns the tiles to the prompts' placeholders, in order, and groups them into images.
 * @param rows the number of vision tokens from the encoder.
 * @throws PromptMismatchError if the counts do not match.
 */
export function placeImages(
  { ids, placeholders }: Pick<Prompt, 'ids' | 'placeholders'>,
  tiles: readonly Tile[],
  rows: number,
  { endsImage, tileAt }: Pick<PrunedFamily, 'endsImage' | 'tileAt'>,
  tokenId: (token: string) => number | undefined,
): PlacedImage[] {
  const count = countPlaceholders({ placeholders });
  if (rows !== count) {
    const firstOnly = (tiles[0]?.visionTokens ?? 0) + tiles.length - 1;
    const remedy =
      tiles.length > 1 && count === firstOnly
        ? 'the processor expanded the placeholder of the first image only; build the inputs with processInputs() or createVlm()'
        : "build the prompt with this model's own processor, and pass all of its images";
    throw new PromptMismatchError(
      `the prompt has ${count} image placeholders, but the images have ${rows} vision tokens; ${remedy}`,
    );
  }
  const images: PlacedImage[] = [];
  let next = 0;
  let start = 0;
  placeholders.forEach((positions, batchIndex) => {
    let used = 0;
    let image = 0;
    let open: PlacedTile[] = [];
    while (used < positions.length) {
      const tile = tiles[next++] as Tile;
      const last = positions[used + tile.visionTokens - 1];
      if (last === undefined) {
        throw new PromptMismatchError(
          `an image of ${tile.visionTokens} vision tokens does not fit into prompt ${batchIndex} of the batch`,
        );
      }
      const place = {
        ids: ids[batchIndex] as readonly number[],
        first: positions[used] as number,
        last,
        tokenId,
      };
      const imagePart = tileAt?.(place);
      open.push({ ...tile, start, ...(imagePart && { imagePart }) });
      used += tile.visionTokens;
      start += tile.visionTokens;
      const isCached = last < 0;
      if (used === positions.length || isCached || (endsImage?.(place) ?? true)) {
        const visionTokens = sum(open.map((one) => one.visionTokens));
        images.push({
          batchIndex,
          image: image++,
          tiles: open,
          start: start - visionTokens,
          visionTokens,
          positions: positions.slice(used - visionTokens, used),
        });
        open = [];
      }
    }
  });
  return images;
}

/** Rows of the encoder's output whose placeholders are masked: the language model never sees them. */
export function maskedRows(prompt: Prompt, images: readonly PlacedImage[]): Set<number> {
  const rows = new Set<number>();
  for (const { batchIndex, start, positions } of images) {
    positions.forEach((position, token) => {
      if (isMasked(prompt, batchIndex, position)) rows.add(start + token);
    });
  }
  return rows;
}
