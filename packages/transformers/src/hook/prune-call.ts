// The state of one call of generate(), carried through the model's inputs so that concurrent calls never meet.

import type { VisionEntry } from '../features/vision-cache.js';
import type { ResolvedOptions } from '../options.js';
import type { PruneReport, PruneTimings } from '../report/prune-report.js';
import type { CacheLike } from '../upstream/types.js';
import type { PrunedSequence } from './pruned-sequence.js';

/** One call. */
export class PruneCall {
  readonly options: ResolvedOptions;
  /** `mmtok: false`: leave this call alone. */
  readonly isOff: boolean;
  /** Whether the prompt has been prepared, and processed. */
  isPrepared = false;
  isPrefilled = false;
  /** Placeholders of each row that the cache holds already. */
  cachedSlots: readonly number[] = [];
  /** The shortened sequence behind the call's cache. */
  sequence: PrunedSequence | undefined;
  /** Images encoded in an earlier turn whose prompt this call processes again. */
  keptVision:
    | { readonly entry: VisionEntry; readonly imageInputs: Readonly<Record<string, unknown>> }
    | undefined;
  /** The cache of the turn before, to be dropped once the language model processes its prompt again. */
  staleCache: CacheLike | undefined;
  report: PruneReport | undefined;
  private decodeMs = 0;

  constructor(options: ResolvedOptions, isOff: boolean) {
    this.options = options;
    this.isOff = isOff;
  }

  /** Adds the time of a decode step. */
  addDecode(ms: number): void {
    this.decodeMs += ms;
  }

  /** Empties the cache of the turn before, if its prompt is processed again. */
  async dropStaleCache(): Promise<void> {
    const cache = this.staleCache;
    if (cache === undefined) return;
    this.staleCache = undefined;
    await cache.dispose();
    for (const name of Object.keys(cache)) Reflect.deleteProperty(cache, name);
  }

  /** The report with the time of all steps. */
  finished(): PruneReport | undefined {
    if (this.report === undefined) return undefined;
    const timings: PruneTimings = { ...this.report.timings, decodeMs: this.decodeMs };
    this.report = { ...this.report, timings };
    return this.report;
  }
}
