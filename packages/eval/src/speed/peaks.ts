// Peak memory of each case, on top of the loaded model.

import { peakBytesOf, residentBytes } from './peak-memory.js';
import type { RandomEncoder } from './random-encoder.js';
import { type Case, keptRows, type Taker, take } from './take.js';

/** Encodes each number of tiles once, from few tiles to many, and returns the peak memory of each. */
export async function encoderPeaksOf(
  encoder: RandomEncoder,
  tiles: readonly number[],
): Promise<ReadonlyMap<number, number | undefined>> {
  const loaded = residentBytes();
  const peaks = new Map<number, number | undefined>();
  for (const count of tiles.toSorted((a, b) => a - b)) {
    const peak = await peakBytesOf(() => encoder.encode(count));
    peaks.set(count, peak === undefined ? undefined : above(loaded, peak));
  }
  return peaks;
}

/**
 * Runs every case once and returns its peak memory on top of the loaded model, if the system reports it. Cases run from few
 * tokens to many, because the runtime does not release memory, which would hide the needs of smaller cases. For the same
 * reason, the selection, which the case without pruning does not need, runs first and is added to all other cases.
 */
export async function peaksOf(
  taker: Taker,
  cases: readonly Case[],
  onCase: (done: number) => void,
): Promise<ReadonlyMap<Case, number | undefined>> {
  const { decoder, prompt } = taker;
  // Touches all weights, which may be memory-mapped from disk.
  await decoder.run(prompt.next, decoder.emptyCache());
  const loaded = residentBytes();
  const pruned = cases.findLast(({ parsed }) => parsed !== undefined);
  const selecting = await peakBytesOf(async () => {
    if (pruned !== undefined) await keptRows(taker, pruned);
  });
  const ready = residentBytes();
  const peaks = new Map<Case, number | undefined>();
  for (const [done, one] of cases.toReversed().entries()) {
    onCase(done);
    const peak = await peakBytesOf(() => take(taker, one, 1));
    const selection = one.parsed === undefined || selecting === undefined ? 0 : above(loaded, selecting);
    peaks.set(one, peak === undefined ? undefined : above(ready, peak) + selection);
  }
  return peaks;
}

/** How far a peak is above the earlier resident memory; at least 0, because the system may have reclaimed some meanwhile. */
const above = (before: number, peak: number): number => Math.max(0, peak - before);
