// The memory that each case needs at its peak, above the loaded model.

import { peakBytesOf, residentBytes } from './peak-memory.js';
import { type Case, keptRows, type Taker, take } from './take.js';

/**
 * Runs every case once and tells what it needs above the loaded model, where the system tells. From few tokens to many:
 * the runtime keeps memory once it has it, which would hide what fewer tokens need; that is also why the selection,
 * which the case without pruning does not need, comes first and is added to all others.
 */
export async function peaksOf(
  taker: Taker,
  cases: readonly Case[],
  onCase: (done: number) => void,
): Promise<ReadonlyMap<string, number | undefined>> {
  const { decoder, prompt } = taker;
  // Touches all weights, which may be mapped from the disk.
  await decoder.run(prompt.next, decoder.emptyCache());
  const loaded = residentBytes();
  const pruned = cases.findLast(({ parsed }) => parsed !== undefined);
  const selecting = await peakBytesOf(async () => {
    if (pruned !== undefined) await keptRows(taker, pruned);
  });
  const ready = residentBytes();
  const peaks = new Map<string, number | undefined>();
  for (const [done, one] of cases.toReversed().entries()) {
    onCase(done);
    const peak = await peakBytesOf(() => take(taker, one, 1));
    const selection = one.parsed === undefined || selecting === undefined ? 0 : above(loaded, selecting);
    peaks.set(one.budget, peak === undefined ? undefined : above(ready, peak) + selection);
  }
  return peaks;
}

/** How far a peak is above what was resident before; not below it, where the system took some of that back meanwhile. */
const above = (before: number, peak: number): number => Math.max(0, peak - before);
