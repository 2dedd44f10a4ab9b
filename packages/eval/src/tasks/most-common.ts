// The answer that most annotators gave.

/** The first of those that occur most often; empty where there are none. */
export function mostCommon(answers: readonly string[]): string {
  const count = (answer: string): number => answers.filter((other) => other === answer).length;
  return answers.reduce((best, answer) => (count(answer) > count(best) ? answer : best), answers[0] ?? '');
}
