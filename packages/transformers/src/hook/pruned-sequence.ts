// What must be remembered of a shortened sequence for as long as its cache lives. Plain data.

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

/** The shortened sequences behind caches that callers hold. */
export type PrunedCaches = WeakMap<object, PrunedSequence>;
