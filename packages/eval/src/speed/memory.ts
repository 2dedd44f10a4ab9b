// Memory: whether weights fit, and the resident memory of this process, now and at its peak. Only Linux reports the peak.

import { readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { InvalidOptionsError } from '@mmtok/core';
import { weightBytes } from './decoder.js';
import type { ModelDims } from './dims.js';
import { mixerPeriod } from './mixers.js';
import type { SpeedDtype } from './sketch.js';

/** Resident bytes after garbage collection. */
export function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

/** Peak resident bytes while `work` runs; undefined if the system cannot reset its peak counter. */
export async function peakBytesOf(work: () => Promise<unknown>): Promise<number | undefined> {
  collectGarbage();
  const isReset = resetMark();
  await work();
  return isReset ? readMark() : undefined;
}

/** Collects garbage; otherwise memory left over from earlier work would count toward later work. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function resetMark(): boolean {
  try {
    // https://www.kernel.org/doc/html/latest/filesystems/proc.html, clear_refs
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

function readMark(): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

// Rejects a decoder whose weights do not fit in memory or on disk, and says how many layers fit.

/** Share of the free space that weights may take; the rest is for activations and the cache. */
const SHARE = 0.8;

/** What is to be built. */
export interface RoomRequest {
  readonly dims: ModelDims;
  readonly layers: number;
  readonly dtype: SpeedDtype;
  readonly device: string;
  /** Of all weights, the encoder's included. */
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
    const period = mixerPeriod(dims);
    const built = (count: number): number => weightBytes({ dims, layers: count, dtype });
    const perPeriod = built(layers) - built(layers - period);
    const fit = period * Math.floor((free * SHARE - (bytes - (layers / period) * perPeriod)) / perPeriod);
    const gigabytes = (amount: number): string => `${(amount / 1e9).toFixed(1)} GB`;
    throw new InvalidOptionsError('layers', [
      `${layers} layers of ${dims.title} in ${dtype} take ${gigabytes(bytes)}, and ${place} has ${gigabytes(free)} free; ` +
        (fit > 0
          ? `build fewer, e.g. --layers ${fit}, or use fewer bits`
          : 'use smaller dimensions or fewer bits'),
    ]);
  }
}
