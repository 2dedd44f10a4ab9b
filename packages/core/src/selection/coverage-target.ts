// The value at which a coverage budget is met.

import type { BonusBlock } from '../maximize/objective.js';

/** The objective's value at a share of what all tokens reach. */
export function coverageTarget(
  share: number,
  full: readonly number[],
  bonuses: readonly BonusBlock[],
): number {
  const everything =
    full.reduce((sum, value) => sum + value, 0) +
    bonuses.reduce(
      (sum, { weight, bonus }) => sum + weight * bonus.reduce((total, each) => total + each, 0),
      0,
    );
  // Rounding may leave the sum of all gains a little below the value computed at once.
  return share * everything * (1 - 1e-6);
}
