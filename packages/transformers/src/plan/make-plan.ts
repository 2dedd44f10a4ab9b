// Selects resolution, tiles, and tokens together so that the first token arrives in time.

import type { PhaseTimes } from '../report.js';
import { type Corrections, NO_CORRECTIONS } from './corrections.js';
import { type CallSize, type PhaseCosts, phaseTimes, totalMs } from './costs.js';

/** The options available for a call. */
export interface PlanChoices {
  /** Vision tokens of the images at full size, and at the smaller sizes to which they can be resized. */
  readonly visionTokens: readonly number[];
  /** Tiles that all images have, including overviews, which are always encoded; 1 if tiles cannot be skipped. */
  readonly allTiles: number;
  /** Number of images in the call. */
  readonly images: number;
  /** Tokens of the prompt that are not vision tokens. */
  readonly textTokens: number;
}

/** The time available to a plan. */
export interface PlanTime {
  /** Milliseconds from pixels to the first token. */
  readonly firstTokenMs: number;
  /** Recent ratio of measured to predicted time, by phase. @default 1 */
  readonly corrections?: Corrections;
  /** Milliseconds that the processor took, if it has already run. @default the prediction */
  readonly spentMs?: number;
}

/** The settings of a planned call. */
export interface Plan extends CallSize {
  readonly predicted: PhaseTimes;
  /** Milliseconds to the first token: the sum of all phases. */
  readonly predictedMs: number;
  /** Whether the prediction is within the budget. If not, this is the cheapest possible plan. */
  readonly isFeasible: boolean;
}

/**
 * Returns the plan that encodes and keeps the most within the budget. It maximizes the product of encoded and kept tokens, so
 * that neither is sacrificed for the other. If no plan fits, returns the cheapest one.
 */
export function makePlan(
  costs: PhaseCosts,
  { visionTokens: sizes, allTiles, images, textTokens }: PlanChoices,
  { firstTokenMs, corrections = NO_CORRECTIONS, spentMs }: PlanTime,
): Plan {
  const least = Math.max(1, images);
  const plans: Plan[] = [];
  for (const visionTokens of sizes) {
    for (let tiles = Math.min(least, allTiles); tiles <= allTiles; tiles++) {
      const encodedTokens = Math.max(1, Math.round((visionTokens * tiles) / allTiles));
      const planFor = (keptTokens: number): Plan => {
        const size = { visionTokens, encodedTokens, keptTokens, textTokens, images, tiles, allTiles };
        const predicted = correctedTimes(phaseTimes(costs, size), corrections, spentMs);
        const predictedMs = totalMs(predicted);
        return { ...size, predicted, predictedMs, isFeasible: predictedMs <= firstTokenMs };
      };
      // Keeping all tokens skips selection, so it may cost less than keeping a few.
      plans.push(planFor(encodedTokens));
      if (least >= encodedTokens) continue;
      let [fits, fails] = [least, encodedTokens];
      while (fails - fits > 1) {
        const middle = Math.floor((fits + fails) / 2);
        if (planFor(middle).isFeasible) fits = middle;
        else fails = middle;
      }
      plans.push(planFor(fits));
    }
  }
  const feasible = plans.filter(({ isFeasible }) => isFeasible);
  if (feasible.length > 0) return feasible.reduce((best, plan) => (isBetter(plan, best) ? plan : best));
  return plans.reduce((best, plan) => (plan.predictedMs < best.predictedMs ? plan : best));
}

/** The corrected times. The time that the processor took, if it has already run, replaces its prediction. */
function correctedTimes(
  times: PhaseTimes,
  corrections: Corrections,
  spentMs: number | undefined,
): PhaseTimes {
  return {
    processMs: spentMs ?? times.processMs * corrections.processMs,
    encodeMs: times.encodeMs * corrections.encodeMs,
    selectMs: times.selectMs * corrections.selectMs,
    prefillMs: times.prefillMs * corrections.prefillMs,
  };
}

function isBetter(one: Plan, other: Plan): boolean {
  const worth = ({ encodedTokens, keptTokens }: Plan): number => encodedTokens * keptTokens;
  const more = worth(one) - worth(other);
  return more > 0 || (more === 0 && one.predictedMs < other.predictedMs);
}
