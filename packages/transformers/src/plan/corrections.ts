// Corrects predictions by what recent calls took, phase by phase: accounts for other load on the machine, a throttled processor,
// and calls that differ from the measured ones.

import type { PhaseTimes } from '../report.js';
import { median, PHASES, type Phase } from './costs.js';

/** Factors by which predictions are multiplied. */
export type Corrections = Readonly<Record<Phase, number>>;

/** Leaves predictions unchanged. */
export const NO_CORRECTIONS: Corrections = { processMs: 1, encodeMs: 1, selectMs: 1, prefillMs: 1 };

/** The number of recent calls that count: an odd number, so that the median is one of them. */
const RECENT = 15;
/** The number of calls before the first correction, so that a slow first call has no effect. */
const LEAST = 3;

/** The ratios of measured to predicted time in recent calls. */
export class RecentCalls {
  /** Logarithms of the ratios, the most recent one at the end. */
  private readonly ratios: Record<Phase, readonly number[]> = {
    processMs: [],
    encodeMs: [],
    selectMs: [],
    prefillMs: [],
  };

  /**
   * The median ratio of each phase over the last 15 calls; 1 before the third call. A median that is no larger than its uncertainty
   * is close to 1, so that predictions do not follow the noise of a busy machine.
   */
  get corrections(): Corrections {
    const of = (phase: Phase): number => Math.exp(significantMedian(this.ratios[phase]));
    return {
      processMs: of('processMs'),
      encodeMs: of('encodeMs'),
      selectMs: of('selectMs'),
      prefillMs: of('prefillMs'),
    };
  }

  /**
   * Records a call. Phases without a measured or predicted time are ignored.
   * @param predicted the times before any correction.
   */
  record(took: PhaseTimes, predicted: PhaseTimes): void {
    for (const phase of PHASES) {
      if (!(took[phase] > 0 && predicted[phase] > 0)) continue;
      const ratio = Math.log(took[phase] / predicted[phase]);
      this.ratios[phase] = [...this.ratios[phase], ratio].slice(-RECENT);
    }
  }
}

/** The median, scaled toward 0 by the part of it that twice its standard error explains. */
function significantMedian(values: readonly number[]): number {
  if (values.length < LEAST) return 0;
  const middle = median(values);
  if (middle === 0) return 0;
  // For a normal distribution, 1.48 times the median deviation is the standard deviation, and the variance of the median is π/2
  // times that of the mean.
  const deviation = 1.48 * median(values.map((value) => Math.abs(value - middle)));
  const variance = ((Math.PI / 2) * deviation ** 2) / values.length;
  return (middle * middle ** 2) / (middle ** 2 + 4 * variance);
}
