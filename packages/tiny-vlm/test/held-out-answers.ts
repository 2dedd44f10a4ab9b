// The models' answers to held-out questions with all vision tokens, computed once for all tests of one process: the tests of
// the card, of pruning and of precisions ask the same questions.
import { heldOut, loadTinyVlm, type ModelSize, type TinyVlm, type VisualQuestion } from '../src/node.js';

/** A question with what a model answered. */
export interface AnsweredQuestion extends VisualQuestion {
  readonly given: string;
}

const answered = new Map<ModelSize, Promise<readonly AnsweredQuestion[]>>();

/**
 * The answers of a model in full precision to the first `limit` held-out questions.
 * @param vlm the model, where it is loaded already; else it is loaded for as long as it is needed.
 */
export function heldOutAnswers(
  size: ModelSize,
  limit: number,
  vlm?: TinyVlm,
): Promise<readonly AnsweredQuestion[]> {
  const known = answered.get(size) ?? Promise.resolve([]);
  const all = known.then((before) => (before.length >= limit ? before : askRest(size, limit, before, vlm)));
  answered.set(size, all);
  return all.then((each) => each.slice(0, limit));
}

async function askRest(
  size: ModelSize,
  limit: number,
  before: readonly AnsweredQuestion[],
  given: TinyVlm | undefined,
): Promise<readonly AnsweredQuestion[]> {
  const vlm = given ?? (await loadTinyVlm({ size }));
  const rest: AnsweredQuestion[] = [];
  for (const question of (await heldOut({ size, limit })).slice(before.length)) {
    rest.push({ ...question, given: await vlm.ask(question.image, question.question) });
  }
  if (given === undefined) await vlm.model.dispose();
  return [...before, ...rest];
}
