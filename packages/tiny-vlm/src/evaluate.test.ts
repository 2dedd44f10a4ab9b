// Counts correct answers, without a model.
import { expect, test } from 'vitest';
import { evaluate } from './evaluate.js';
import type { VisualQuestion } from './visual-question.js';

const questions: VisualQuestion[] = [
  { image: 'a.png', question: 'How many stars are there?', answer: 'two', kind: 'count' },
  { image: 'a.png', question: 'Is there a ring in the image?', answer: 'yes', kind: 'existence' },
  { image: 'b.png', question: 'Is there a ring in the image?', answer: 'no', kind: 'existence' },
];

test('counts correct answers overall and by kind, ignoring case and outer spaces', async () => {
  const asked: string[] = [];
  const report = await evaluate({
    questions,
    answer: async (image, question) => {
      asked.push(`${image} ${question}`);
      return question.startsWith('How') ? 'three' : ' Yes\n';
    },
  });
  expect(report).toEqual({
    overall: { correct: 1, total: 3, accuracy: 1 / 3 },
    byKind: {
      existence: { correct: 1, total: 2, accuracy: 0.5 },
      count: { correct: 0, total: 1, accuracy: 0 },
    },
  });
  expect(Object.keys(report.byKind)).toEqual(['existence', 'count']);
  expect(asked).toEqual(questions.map(({ image, question }) => `${image} ${question}`));
});

test('counts a phrase only if all of it is right', async () => {
  const answer = 'mostly red objects on gray';
  const asked: VisualQuestion[] = [
    { image: 'a.png', question: 'What is here?', answer, kind: 'description' },
  ];
  for (const [given, correct] of [
    ['Mostly red objects on gray', 1],
    ['mostly red objects', 0],
  ] as const) {
    const { byKind } = await evaluate({ questions: asked, answer: async () => given });
    expect(byKind.description?.correct).toBe(correct);
  }
});

test('rejects an empty list of questions', async () => {
  const answer = async () => 'yes';
  await expect(evaluate({ questions: [], answer })).rejects.toMatchObject({ code: 'MMTOK_NO_QUESTIONS' });
});

test('rejects a question of an unknown kind by name before asking anything', async () => {
  const asked: string[] = [];
  const answer = async (image: string) => {
    asked.push(image);
    return 'yes';
  };
  const odd = { ...questions[0]!, kind: 'texture' as VisualQuestion['kind'] };
  await expect(evaluate({ questions: [...questions, odd], answer })).rejects.toMatchObject({
    code: 'MMTOK_INVALID_OPTIONS',
    message: expect.stringContaining("of the kind 'texture': expected one of existence, "),
  });
  expect(asked).toEqual([]);
});

test('rejects an answer that is not text', async () => {
  const answer = async () => undefined as unknown as string;
  await expect(evaluate({ questions, answer })).rejects.toMatchObject({
    code: 'MMTOK_INVALID_OPTIONS',
    message: expect.stringContaining("got undefined for the question 'How many stars are there?'"),
  });
});

test('rethrows errors of the answering function', async () => {
  const answer = () => Promise.reject(new Error('out of memory'));
  await expect(evaluate({ questions, answer })).rejects.toThrow('out of memory');
});
