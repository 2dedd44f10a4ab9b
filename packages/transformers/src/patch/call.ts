// The state of one call of generate(). It travels in the model's inputs, so concurrent calls never share state.

import type { CacheLike } from '../internal/types.js';
import type { ResolvedOptions } from '../options.js';
import type { Prefilled, PromptStart } from '../prefill/prefill.js';
import type { PruneReport } from '../report.js';
import type { RememberedSequence } from './sequence.js';

/** The stage that a call has reached. */
export type CallState =
  | { readonly step: 'new' }
  /** The prompt has been prepared. */
  | {
      readonly step: 'prepared';
      readonly start: PromptStart;
      /** The previous turn's cache, to be dropped once the language model processes its prompt again. */
      readonly staleCache?: CacheLike | undefined;
    }
  /** The prompt has been processed; decode steps follow. */
  | {
      readonly step: 'prefilled';
      readonly report: PruneReport;
      /** The shortened sequence behind the call's cache. */
      readonly sequence: RememberedSequence | undefined;
    };

/** One call. */
export class PruneCall {
  readonly options: ResolvedOptions;
  /** `mmtok: false`: do not prune this call. */
  readonly isOff: boolean;
  /** Processor output that no session reads: `[height, width]` of each image before padding. */
  readonly reshapedSizes: unknown;
  state: CallState = { step: 'new' };
  private decodeMs = 0;

  constructor(options: ResolvedOptions, isOff: boolean, reshapedSizes: unknown) {
    this.options = options;
    this.isOff = isOff;
    this.reshapedSizes = reshapedSizes;
  }

  /** Where the prompt starts. */
  get start(): PromptStart {
    return this.state.step === 'prepared' ? this.state.start : { cachedPlaceholders: [] };
  }

  /** The shortened sequence behind the call's cache, if there is one. */
  get sequence(): RememberedSequence | undefined {
    return this.state.step === 'prefilled' ? this.state.sequence : this.start.sequence;
  }

  /** Records that the prompt has been processed. */
  prefilled({ report, sequence, images }: Prefilled): void {
    const remembered = sequence && { ...sequence, images };
    this.state = { step: 'prefilled', report, sequence: remembered ?? this.sequence };
  }

  /** Empties the previous turn's cache if its prompt is processed again. */
  async dropStaleCache(): Promise<void> {
    if (this.state.step !== 'prepared' || this.state.staleCache === undefined) return;
    const { staleCache: cache, ...state } = this.state;
    this.state = state;
    await cache.dispose();
    for (const name of Object.keys(cache)) Reflect.deleteProperty(cache, name);
  }

  /** Adds the time of a decode step. */
  addDecode(ms: number): void {
    this.decodeMs += ms;
  }

  /** The report with the time of all steps; nothing if the prompt was never processed. */
  finished(): PruneReport | undefined {
    if (this.state.step !== 'prefilled') return undefined;
    const { report } = this.state;
    return { ...report, timings: { ...report.timings, decodeMs: this.decodeMs } };
  }
}
