// What must be remembered of a shortened sequence for as long as its cache lives.

import type { VisionEntry } from '../features/vision-cache.js';
import type { PositionPolicy } from '../positions/policy.js';
import type { TensorLike } from '../upstream/types.js';

/** How a shortened sequence relates to the one the caller knows: its first `fullLength` columns became `cachedLength`. */
export interface PrunedSequence {
  readonly fullLength: number;
  readonly cachedLength: number;
  /** The mask over the shortened columns, per row. */
  readonly mask: readonly (readonly number[])[];
  /** Tokens removed, per row: by so much preserved positions run ahead. */
  readonly removed: readonly number[];
  readonly positions: PositionPolicy;
  /** mRoPE only: grids of the images, which later turns need for their positions. */
  readonly imageGrid?: TensorLike;
  /** `turns: 'reselect'` only: the encoded images, so that later turns need no pixels. */
  readonly vision?: VisionEntry;
  /** The inputs that describe the images beside their pixels. */
  readonly imageInputs?: Readonly<Record<string, unknown>>;
}

/**
 * The shortened sequences behind the caches that callers hold, by the first tensor of the cache. Every step puts another
 * in its place, so that a copy of a cache is known as well, and one that was emptied and filled again is not. One map for
 * all handles, as a cache outlives them.
 */
const sequences = new WeakMap<object, PrunedSequence>();

function firstTensor(cache: unknown): object | undefined {
  const first: unknown = typeof cache === 'object' && cache !== null ? Object.values(cache)[0] : undefined;
  return typeof first === 'object' && first !== null ? first : undefined;
}

/** Notes that a cache, as it is now, holds a shortened sequence. */
export function rememberSequence(cache: unknown, sequence: PrunedSequence): void {
  const tensor = firstTensor(cache);
  if (tensor !== undefined) sequences.set(tensor, sequence);
}

/** The shortened sequence that a cache holds; nothing for an empty cache or one that was never pruned. */
export function sequenceOf(cache: unknown): PrunedSequence | undefined {
  const tensor = firstTensor(cache);
  return tensor === undefined ? undefined : sequences.get(tensor);
}
