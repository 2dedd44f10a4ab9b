// The comparison on a model that is a few lines of arithmetic, so that every number in the result is known.

import { expect, test } from 'vitest';
import type { Selector } from '../selectors/selector.js';
import { type Answer, compareSelectors, type EvalModel } from './compare-selectors.js';

/** An image is a token number; the model sees what it shows if that token is kept. */
const questions = ['0', '1', '2', '3'].map((image) => ({
  image,
  question: 'which token?',
  answer: `Token ${image}`,
}));
const model: EvalModel = async (image, _question, select) => {
  const kept = await select?.({ vision: [[1], [1], [1], [1]], grid: [2, 2] });
  return kept === undefined || kept.includes(Number(image)) ? ` token ${image}` : 'unknown';
};
const first: Selector = async (_input, budget) =>
  [0, 1, 2, 3].slice(0, 'tokens' in budget ? budget.tokens : 4);
const last: Selector = async (_input, budget) => [0, 1, 2, 3].slice('tokens' in budget ? -budget.tokens : 0);

test('a row for each budget and method, against all tokens', async () => {
  const budgets = [{ tokens: 3 }, { tokens: 1 }];
  const result = await compareSelectors({ model, questions, selectors: { first, last }, budgets });
  expect(result).toMatchObject({ questions: 4, fullAccuracy: 1 });
  expect(
    result.rows.map(({ selector, meanKept, accuracy, retention, agreement }) => [
      selector,
      meanKept,
      accuracy,
      retention.value,
      agreement,
    ]),
  ).toEqual([
    ['first', 3, 0.75, 0.75, 0.75],
    ['last', 3, 0.75, 0.75, 0.75],
    ['first', 1, 0.25, 0.25, 0.25],
    ['last', 1, 0.25, 0.25, 0.25],
  ]);
});

test('every answer is handed out as it comes, those with all tokens first', async () => {
  const answers: Answer[] = [];
  const onAnswer = (answer: Answer) => answers.push(answer);
  await compareSelectors({ model, questions, selectors: { first }, budgets: [{ tokens: 2 }], onAnswer });
  expect(answers.map(({ image, selector, kept, isCorrect }) => [image, selector, kept, isCorrect])).toEqual([
    ['0', undefined, undefined, true],
    ['1', undefined, undefined, true],
    ['2', undefined, undefined, true],
    ['3', undefined, undefined, true],
    ['0', 'first', 2, true],
    ['1', 'first', 2, true],
    ['2', 'first', 2, false],
    ['3', 'first', 2, false],
  ]);
});

test('one’s own measure of right and wrong', async () => {
  const isCorrect = (given: string) => given !== 'unknown';
  const budgets = [{ tokens: 2 }];
  const { rows } = await compareSelectors({ model, questions, selectors: { first }, budgets, isCorrect });
  expect(rows[0]?.accuracy).toBe(0.5);
});

test('a model that ignores the selector is an error, not a perfect score', async () => {
  const deaf: EvalModel = async (image) => `token ${image}`;
  const run = compareSelectors({ model: deaf, questions, selectors: { first }, budgets: [{ tokens: 2 }] });
  await expect(run).rejects.toThrow(/without calling select, so nothing was pruned/);
});

test('nothing to compare is an error', async () => {
  const none = compareSelectors({ model, questions: [], selectors: { first }, budgets: [] });
  await expect(none).rejects.toThrow(/questions: expected at least one|expected at least one/);
  const hopeless: EvalModel = async () => 'no idea';
  const run = compareSelectors({ model: hopeless, questions, selectors: { first }, budgets: [] });
  await expect(run).rejects.toThrow(/no question correctly/);
});
