// Lays out the images of families that pack their tiles (LLaVA-NeXT). Their prompts have a placeholder for each row that the
// unpruned model reads. The rows that a pruned image keeps are not known yet, so each image gets a position for every row.

import { sum } from '@mmtok/core/internal';
import { PromptMismatchError } from '../errors.js';
import type { Packing } from '../internal/anyres.js';
import { int64Matrix } from '../internal/tensors.js';
import type { PlacedImage, PlacedTile } from './images.js';
import { countPlaceholders, type Prompt } from './prompt.js';

/** A batch of prompts with a position for every row of its images. */
export interface PackedPrompt {
  readonly prompt: Prompt;
  readonly images: readonly PlacedImage[];
}

interface WidenedPrompt {
  readonly ids: number[];
  /** Over the new tokens only. */
  readonly mask: number[];
  readonly images: PlacedImage[];
}

/**
 * Inserts a position for every row. Images that are already in the cache are skipped.
 * @param packings of all images in the inputs, in order.
 * @param cached placeholders of each prompt that are already in the cache.
 * @throws PromptMismatchError if placeholders and images do not match.
 */
export function packPrompt(
  given: Prompt,
  packings: readonly Packing[],
  cached: readonly number[],
): PackedPrompt {
  const places = countPlaceholders(given);
  const described = sum(packings.map(({ unpruned }) => unpruned.length));
  const hasAll = sum(cached) > 0 && described === places + sum(cached);
  if (!hasAll && described !== places) throw mismatch(places, described);
  const queue = new ImageQueue(packings);
  const rows = given.ids.map((_, batchIndex) => {
    if (hasAll) queue.skip(cached[batchIndex] ?? 0);
    return widen(given, batchIndex, queue);
  });
  return leftPadded(given, rows);
}

const mismatch = (places: number, described: number): PromptMismatchError =>
  new PromptMismatchError(
    `the prompt has ${places} image placeholders, but images of these image_sizes need ${described}; build the inputs with ` +
      'processInputs() or createVlm(), and pass all images of the prompt',
  );

/** The images in order, with their first rows. */
class ImageQueue {
  private next = 0;
  private start = 0;
  private readonly packings: readonly Packing[];

  constructor(packings: readonly Packing[]) {
    this.packings = packings;
  }

  take(): { readonly packing: Packing; readonly start: number } {
    const packing = this.packings[this.next++];
    if (packing === undefined) throw mismatch(0, 0);
    const { start } = this;
    this.start += packing.order.length;
    return { packing, start };
  }

  /** Skips images with this many placeholders. */
  skip(placeholders: number): void {
    for (let left = placeholders; left > 0; ) left -= this.take().packing.unpruned.length;
  }
}

function widen(given: Prompt, batchIndex: number, queue: ImageQueue): WidenedPrompt {
  const ids = given.ids[batchIndex] as readonly number[];
  const bits = (given.masks[batchIndex] as readonly number[]).slice(given.past);
  const own = given.placeholders[batchIndex] as readonly number[];
  const result: WidenedPrompt = { ids: [], mask: [], images: [] };
  let copied = 0;
  const copyUntil = (end: number): void => {
    result.ids.push(...ids.slice(copied, end));
    result.mask.push(...bits.slice(copied, end));
  };
  for (let used = 0; used < own.length; ) {
    const { packing, start } = queue.take();
    const count = packing.unpruned.length;
    const first = own[used] as number;
    if (own[used + count - 1] !== first + count - 1) throw mismatch(own.length - used, count);
    copyUntil(first);
    const positions: number[] = [];
    packing.order.forEach((row, at) => {
      positions[row] = result.ids.length + at;
    });
    result.images.push(placed(packing, { batchIndex, image: result.images.length, start, positions }));
    result.ids.push(...packing.order.map(() => ids[first] as number));
    result.mask.push(...packing.order.map(() => bits[first] as number));
    used += count;
    copied = first + count;
  }
  copyUntil(ids.length);
  return result;
}

function placed(
  { tiles, unpruned }: Packing,
  place: Pick<PlacedImage, 'batchIndex' | 'image' | 'start' | 'positions'>,
): PlacedImage {
  let visionTokens = 0;
  const own = tiles.map((tile): PlacedTile => {
    const start = place.start + visionTokens;
    visionTokens += tile.visionTokens;
    return { ...tile, start };
  });
  return { ...place, tiles: own, visionTokens, unpruned: unpruned.map((row) => place.start + row) };
}

/** Brings prompts to the same length with masked tokens on the left. */
function leftPadded(given: Prompt, rows: readonly WidenedPrompt[]): PackedPrompt {
  const width = Math.max(...rows.map(({ ids }) => ids.length));
  const padding = rows.map(({ ids }) => new Array<number>(width - ids.length).fill(0));
  const ids = rows.map((row, at) => [...(padding[at] as number[]), ...row.ids]);
  const images = rows.flatMap((row, at) => {
    const shift = (padding[at] as number[]).length;
    return row.images.map((image) => ({ ...image, positions: image.positions.map((each) => each + shift) }));
  });
  const masks = rows.map(({ mask }, at) => [
    ...(given.masks[at] as readonly number[]).slice(0, given.past),
    ...(padding[at] as number[]),
    ...mask,
  ]);
  const placeholders = rows.map((_, at) =>
    images.flatMap(({ batchIndex, positions }) => (batchIndex === at ? positions : [])).sort((a, b) => a - b),
  );
  const visionTokens = placeholders.map(
    (own, at) => own.filter((position) => masks[at]?.[given.past + position] !== 0).length,
  );
  const tensor = int64Matrix(given.tensor, ids);
  return { prompt: { ...given, tensor, ids, masks, placeholders, visionTokens }, images };
}
