// Rejects a decoder whose weights do not fit in memory or on disk, and says how many layers fit.

import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { InvalidOptionsError } from '@mmtok/core';
import type { SpeedDtype } from './graph-sketch.js';
import type { ModelDims } from './model-dims.js';
import { weightBytes } from './random-decoder.js';

/** Share of the free space that weights may take; the rest is for activations and the cache. */
const SHARE = 0.8;

/** What is to be built. */
export interface RoomRequest {
  readonly dims: ModelDims;
  readonly layers: number;
  readonly dtype: SpeedDtype;
  readonly device: string;
  readonly bytes: number;
}

/** @throws InvalidOptionsError if there is no room. */
export function checkRoom({ dims, layers, dtype, device, bytes }: RoomRequest): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  // On other devices, the weights go to memory that Node cannot measure.
  const memory = device === 'cpu' ? process.availableMemory() : Number.POSITIVE_INFINITY;
  for (const [place, free] of [
    ['memory', memory],
    [tmpdir(), bavail * bsize],
  ] as const) {
    if (bytes <= free * SHARE) continue;
    const perLayer = bytes - weightBytes({ dims, layers: layers - 1, dtype });
    const fit = Math.floor((free * SHARE - (bytes - layers * perLayer)) / perLayer);
    const gigabytes = (amount: number): string => `${(amount / 1e9).toFixed(1)} GB`;
    throw new InvalidOptionsError('layers', [
      `${layers} layers of ${dims.title} in ${dtype} take ${gigabytes(bytes)}, and ${place} has ${gigabytes(free)} free; ` +
        (fit > 0
          ? `build fewer, e.g. --layers ${fit}, or with fewer bits`
          : 'take smaller dimensions or fewer bits'),
    ]);
  }
}
