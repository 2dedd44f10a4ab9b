// Answers for every stop of the slider, in few bytes: only where they change.

/** The answer from this number of kept tokens up to the next change. */
export type AnswerChange = readonly [tokens: number, text: string];

/** Leaves out the stops whose answer is that of the stop before. */
export function answerChanges(answers: readonly AnswerChange[]): readonly AnswerChange[] {
  return answers.filter(([, text], at) => text !== answers[at - 1]?.[1]);
}

/** The answer at a stop of the slider. */
export function answerAt(changes: readonly AnswerChange[], tokens: number): string | undefined {
  return changes.findLast(([from]) => from <= tokens)?.[1];
}
