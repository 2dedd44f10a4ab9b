// Picking by scores: the highest, and the order from the highest down. Ties go to the lowest index everywhere.

/** The index of the highest score among those that `isFree` lets through; -1 if it lets none. */
export function argMax(scores: ArrayLike<number>, isFree: (index: number) => boolean = () => true): number {
  let best = -1;
  for (let i = 0; i < scores.length; i++) {
    if (isFree(i) && (best < 0 || scores[i]! > scores[best]!)) best = i;
  }
  return best;
}

/** All indices, from the highest score down. */
export function descending(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Scores moved to the range from 0 to 1; all 1 where they are all the same. */
export function minMax(scores: Float64Array, epsilon = 0): Float64Array {
  const low = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const high = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  return scores.map((score) => (high > low ? (score - low + epsilon) / (high - low) : 1));
}
