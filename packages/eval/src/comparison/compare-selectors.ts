// The comparison: the same questions, answered with all vision tokens and with those that each method keeps.

import { type Budget, InvalidOptionsError } from '@mmtok/core';
import type { Selector, SelectorInput } from '../selectors/selector.js';
import { type BootstrapOptions, type Interval, retention } from '../statistics/paired-bootstrap.js';

/** A question with its expected answer. */
export interface EvalQuestion {
  /** Whatever the model takes for an image, e.g. a path. */
  readonly image: string;
  readonly question: string;
  readonly answer: string;
}

/**
 * Anything that answers questions about images. It hands the features of the image to `select` and goes on with the
 * tokens that come back; without `select` it keeps them all.
 */
export type EvalModel = (
  image: string,
  question: string,
  select?: (input: SelectorInput) => Promise<readonly number[]>,
) => Promise<string>;

/** One answer, as it comes. `selector` and `budget` are absent where all tokens were kept. */
export interface Answer extends EvalQuestion {
  readonly selector?: string;
  readonly budget?: Budget;
  readonly given: string;
  readonly isCorrect: boolean;
  /** How many vision tokens were kept. */
  readonly kept?: number;
}

/** What {@link compareSelectors} takes. */
export interface CompareOptions extends BootstrapOptions {
  readonly model: EvalModel;
  readonly questions: readonly EvalQuestion[];
  /** The methods, by the names they have in the result. */
  readonly selectors: Readonly<Record<string, Selector>>;
  readonly budgets: readonly Budget[];
  /** @default equal to the expected answer, whatever the case and outer spaces */
  readonly isCorrect?: (given: string, expected: string) => boolean;
  /** Receives each answer. */
  readonly onAnswer?: (answer: Answer) => void;
}

/** One method at one budget. */
export interface ComparisonRow {
  readonly selector: string;
  readonly budget: Budget;
  /** Mean number of vision tokens kept. */
  readonly meanKept: number;
  readonly accuracy: number;
  /** Accuracy over the accuracy with all tokens, with its interval. */
  readonly retention: Interval;
  /** Share of the questions that were answered as with all tokens, right or wrong. */
  readonly agreement: number;
}

/** The result: accuracy with all tokens, and a row for each method and budget. */
export interface Comparison {
  readonly questions: number;
  readonly fullAccuracy: number;
  readonly rows: readonly ComparisonRow[];
}

const isSame = (given: string, expected: string): boolean =>
  given.trim().toLowerCase() === expected.trim().toLowerCase();

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Asks every question once with all vision tokens, then once for each method and budget, one after the other.
 *
 * @throws InvalidOptionsError without questions, if the model answers none of them with all its tokens, or if it never
 * called `select`: then nothing was pruned, and the comparison would compare nothing.
 * @example
 * const { rows } = await compareSelectors({
 *   model,
 *   questions,
 *   selectors: { mmtok: mmtokSelector({ backend }), random: randomSelector() },
 *   budgets: [{ tokens: 64 }, { ratio: 0.1 }],
 * });
 */
export async function compareSelectors(options: CompareOptions): Promise<Comparison> {
  const { model, questions, selectors, budgets, isCorrect = isSame, onAnswer, ...bootstrap } = options;
  if (questions.length === 0) throw new InvalidOptionsError('questions', ['expected at least one']);

  const ask = async (question: EvalQuestion, selector?: string, budget?: Budget): Promise<Answer> => {
    let kept: number | undefined;
    const method = selector === undefined ? undefined : selectors[selector];
    const select =
      method === undefined || budget === undefined
        ? undefined
        : async (input: SelectorInput): Promise<readonly number[]> => {
            const indices = await method(input, budget);
            kept = indices.length;
            return indices;
          };
    const given = await model(question.image, question.question, select);
    if (select !== undefined && kept === undefined) {
      throw new InvalidOptionsError('model', [
        `it answered '${question.question}' without calling select, so nothing was pruned`,
      ]);
    }
    const answer: Answer = {
      ...question,
      given,
      isCorrect: isCorrect(given, question.answer),
      ...(selector !== undefined && { selector }),
      ...(budget !== undefined && { budget }),
      ...(kept !== undefined && { kept }),
    };
    onAnswer?.(answer);
    return answer;
  };
  const askAll = async (selector?: string, budget?: Budget): Promise<readonly Answer[]> => {
    const answers: Answer[] = [];
    for (const question of questions) answers.push(await ask(question, selector, budget));
    return answers;
  };
  const scores = (answers: readonly Answer[]): number[] => answers.map((answer) => Number(answer.isCorrect));

  const full = await askAll();
  if (!full.some((answer) => answer.isCorrect)) {
    throw new InvalidOptionsError('model', ['it answers no question correctly with all its vision tokens']);
  }
  const rows: ComparisonRow[] = [];
  for (const budget of budgets) {
    for (const selector of Object.keys(selectors)) {
      const answers = await askAll(selector, budget);
      rows.push({
        selector,
        budget,
        meanKept: mean(answers.map(({ kept = 0 }) => kept)),
        accuracy: mean(scores(answers)),
        retention: retention(scores(full), scores(answers), bootstrap),
        agreement: mean(answers.map(({ given }, i) => Number(isSame(given, full[i]?.given ?? '')))),
      });
    }
  }
  return { questions: questions.length, fullAccuracy: mean(scores(full)), rows };
}
