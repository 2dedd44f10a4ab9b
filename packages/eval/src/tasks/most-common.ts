// The answer that most annotators gave.

/** The first of those that occur most often; empty where there are none. */
export function mostCommon(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const best = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0]);
  return best[0];
}
