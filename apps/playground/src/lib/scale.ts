// The stops of the main slider: every count where one token more matters, steps of about 4 % above, and a tenth.

/** Numbers of kept tokens from 1 to all, ascending. */
export function stopsOf(visionTokens: number): readonly number[] {
  const stops = new Set([visionTokens, Math.max(1, Math.floor(visionTokens / 10))]);
  for (let kept = 1; kept < visionTokens; kept = Math.max(kept + 1, Math.round(kept * 1.04))) stops.add(kept);
  return [...stops].sort((a, b) => a - b);
}

/** The place of the stop that is nearest to a number. */
export function nearestStop(stops: readonly number[], kept: number): number {
  return stops.reduce(
    (best, stop, at) => (Math.abs(stop - kept) < Math.abs((stops[best] as number) - kept) ? at : best),
    0,
  );
}
