// The value at which a coverage budget is met.

import type { BonusBlock } from '../maximize/objective.js';

/** The objective's value at a share of what all tokens reach. */
export function coverageTarget(
  share: number,
  terms: readonly { readonly weight: number; readonly full: number }[],
  bonuses: readonly BonusBlock[],
): number {
  const covered = terms.reduce((sum, { weight, full }) => sum + weight * full, 0);
  const added = bonuses.reduce(
    (sum, { weight, bonus }) => sum + weight * bonus.reduce((total, each) => total + each, 0),
    0,
  );
  // Rounding may leave the sum of all gains a little below the value computed at once.
  return share * (covered + added) * (1 - 1e-6);
}
