// Gets the encoded images of a call: from an earlier turn, from the cache, or by running the encoder.

import { sum } from '@mmtok/core/internal';
import type { EncodedVision } from '../adapters/adapter.js';
import type { PrunedModel } from '../families/family.js';
import type { ModelInputs } from '../internal/types.js';
import { digest } from '../internal/values.js';
import { PreparedImages } from '../select/select.js';

/** The encoder's output for a batch. */
export interface EncodedImages {
  readonly encoded: EncodedVision;
  /** What selections computed from the output, if later turns may select again. */
  readonly prepared: PreparedImages | undefined;
  /** Rows of tiles that were not encoded. */
  readonly skipped: ReadonlySet<number>;
  /** The worth of each tile of an image whose tiles were ranked, by the first row of the image. */
  readonly tileWorth: TileWorth;
}

/** The worth of each tile of an image, relative to the best one, by the first row of the image in the encoder's output. */
export type TileWorth = ReadonlyMap<number, readonly number[]>;

/** Images encoded in an earlier turn, and the inputs that describe them. */
export interface EarlierImages {
  readonly images: EncodedImages;
  readonly inputs: ModelInputs;
}

/** The encoded images of recent prompts, for `followUps: 'reselect'`. */
export class EncodedImagesCache {
  private readonly entries = new Map<
    string,
    { readonly images: Promise<EncodedImages>; readonly size: number }
  >();
  /** The number of images, in entries of size 1. */
  private readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Returns the entry under a key and encodes it on a miss; `hit` says whether it was cached. */
  get(
    key: string,
    size: number,
    encode: () => Promise<EncodedImages>,
  ): { entry: Promise<EncodedImages>; hit: boolean } {
    const known = this.entries.get(key);
    this.entries.delete(key);
    const entry = known?.images ?? encode();
    this.entries.set(key, { images: entry, size });
    if (known === undefined) entry.catch(() => this.entries.delete(key));
    let total = sum([...this.entries.values()].map((one) => one.size));
    for (const [oldest, one] of this.entries) {
      if (total <= this.capacity) break;
      this.entries.delete(oldest);
      total -= one.size;
    }
    return { entry, hit: known !== undefined };
  }

  /** Clears the cache. */
  clear(): void {
    this.entries.clear();
  }
}

/** The inputs that describe the images of a call. */
export function imageInputsOf({ family }: Pick<PrunedModel, 'family'>, inputs: ModelInputs): ModelInputs {
  const names = [...family.adapter.imageInputs, 'image_grid_thw', 'image_sizes'];
  return Object.fromEntries(names.flatMap((name) => (inputs[name] == null ? [] : [[name, inputs[name]]])));
}

/**
 * Returns the encoded images; `hit` if the encoder did not have to run.
 * @param cache where later calls look for them; absent if no later call will.
 * @param size the part of the batch that `inputs` cover, for the capacity of the cache.
 */
export async function encodeImages(
  pruned: PrunedModel,
  inputs: ModelInputs,
  earlier: EarlierImages | undefined,
  cache: EncodedImagesCache | undefined,
  size = 1,
): Promise<{ readonly images: EncodedImages; readonly hit: boolean }> {
  if (inputs.pixel_values == null && earlier !== undefined) return { images: earlier.images, hit: true };
  const run = async (): Promise<EncodedImages> => ({
    encoded: await pruned.family.adapter.encode(pruned.model, inputs),
    prepared: cache && new PreparedImages(),
    skipped: new Set(),
    tileWorth: new Map(),
  });
  if (cache === undefined) return { images: await run(), hit: false };
  const { entry, hit } = cache.get(await digest(imageInputsOf(pruned, inputs)), size, run);
  return { images: await entry, hit };
}
