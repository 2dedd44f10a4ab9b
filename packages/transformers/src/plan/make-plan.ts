// Chooses resolution, tiles and tokens together so that the first token comes in time.

import { type CallSize, type PhaseCosts, phaseTimes, totalMs } from './costs.js';

/** What can be chosen for a call. */
export interface PlanChoices {
  /** Vision tokens of the images as they are, and those to which they can be made smaller. */
  readonly visionTokens: readonly number[];
  /** Tiles that the encoder takes of all images, overviews included; 1 where tiles cannot be left out. */
  readonly tiles: number;
  /** How many of them must be encoded: the overviews. */
  readonly leastTiles: number;
  /** Images of the call. */
  readonly images: number;
  /** Tokens of the prompt that are not vision tokens. */
  readonly textTokens: number;
}

/** The time that a plan has. */
export interface PlanTime {
  /** Milliseconds from pixels to the first token. */
  readonly firstTokenMs: number;
  /** By how much calls have taken longer than predicted of late. @default 1 */
  readonly drift?: number;
  /** What the processor took, where it is done. @default as predicted */
  readonly spentMs?: number;
}

/** What a call is to do. */
export interface Plan extends CallSize {
  /** Tiles to encode, of all that there are. */
  readonly tiles: number;
  /** Milliseconds until the first token. */
  readonly predictedMs: number;
  /** Whether that is within the budget. If not, this is the cheapest there is. */
  readonly isFeasible: boolean;
}

/**
 * The plan that encodes and keeps the most within the budget: the product of encoded and kept tokens is largest, so that
 * neither is given up for the other. Where none fits, the cheapest.
 */
export function makePlan(
  costs: PhaseCosts,
  { visionTokens: sizes, tiles, leastTiles, images, textTokens }: PlanChoices,
  { firstTokenMs, drift = 1, spentMs }: PlanTime,
): Plan {
  const least = Math.max(1, images);
  const plans: Plan[] = [];
  for (const visionTokens of sizes) {
    for (let count = Math.min(leastTiles, tiles); count <= tiles; count++) {
      const encodedTokens = Math.max(1, Math.round((visionTokens * count) / tiles));
      const planFor = (keptTokens: number): Plan => {
        const size = { visionTokens, encodedTokens, keptTokens, textTokens };
        const { processMs, ...rest } = phaseTimes(costs, size);
        const predictedMs = (spentMs ?? processMs * drift) + totalMs({ processMs: 0, ...rest }) * drift;
        return { ...size, tiles: count, predictedMs, isFeasible: predictedMs <= firstTokenMs };
      };
      // Keeping all needs no selection, so it may cost less than keeping a few.
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

function isBetter(one: Plan, other: Plan): boolean {
  const worth = ({ encodedTokens, keptTokens }: Plan): number => encodedTokens * keptTokens;
  const more = worth(one) - worth(other);
  return more > 0 || (more === 0 && one.predictedMs < other.predictedMs);
}
