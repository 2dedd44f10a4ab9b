// Examples of enrichment: what each option changes, and what it does not.

import { describe, expect, test } from 'vitest';
import { enrichQuestion } from './enrich-question.js';

const question = 'What is the man holding?';
const menu = 'Which animal is on the sofa?\nA. a black cat\nB. two dogs, asleep\nC. none\nD. 3';

test('adds the content words of the answer', () => {
  expect(enrichQuestion(question, 'The man is holding a yellow umbrella in his left hand.')).toEqual({
    text: `${question}\nyellow umbrella left hand`,
    words: [
      { word: 'man', source: 'question', weight: 1 },
      { word: 'holding', source: 'question', weight: 1 },
      { word: 'yellow', source: 'answer', weight: 1 },
      { word: 'umbrella', source: 'answer', weight: 1 },
      { word: 'left', source: 'answer', weight: 1 },
      { word: 'hand', source: 'answer', weight: 1 },
    ],
    added: ['yellow', 'umbrella', 'left', 'hand'],
    reason: 'enriched',
  });
});

describe('answers without visual meaning add nothing', () => {
  test.each([
    'Yes',
    'no.',
    'Yes, it is.',
    'B',
    '(b)',
    'a',
    'The answer is C.',
    '7',
    'Three',
    '2.5',
    '12 000',
    'The image',
    "I don't know.",
    "It's unclear, sorry.",
    'Unanswerable',
  ])('%s', (answer) => {
    expect(enrichQuestion(question, answer)).toMatchObject({
      text: question,
      added: [],
      reason: 'noVisualMeaning',
    });
  });

  test.each(['', '  \n', '…?!'])('no words at all: %j', (answer) => {
    expect(enrichQuestion(question, answer)).toMatchObject({ added: [], reason: 'emptyAnswer' });
  });

  test('unless the options keep that kind', () => {
    expect(enrichQuestion(question, 'Yes', { drop: [] }).added).toEqual(['Yes']);
    expect(enrichQuestion(question, 'B', { drop: ['yesNo', 'number'] }).added).toEqual(['B']);
    expect(enrichQuestion(question, '7', { drop: ['yesNo', 'optionLetter'] }).added).toEqual(['7']);
  });
});

test('fragments of contractions are not words', () => {
  expect(enrichQuestion(question, "He's got a kite, hasn't he? It isn't red.").added).toEqual([
    'got',
    'kite',
    'red',
  ]);
});

test('a yes or a number within a longer answer does not drop the rest', () => {
  expect(enrichQuestion(question, 'Yes, two red kites').added).toEqual(['two', 'red', 'kites']);
});

describe('multiple choice', () => {
  test.each([
    'A',
    'A.',
    '(A)',
    'a)',
    'A. a black cat',
    'Answer: A',
    'The correct answer is (A).',
    'Option A',
  ])('%s becomes the text of option A', (answer) => {
    expect(enrichQuestion(menu, answer)).toMatchObject({ added: ['black', 'cat'], choice: 'A' });
  });

  test('the text of an option is dropped by the same rules as any answer', () => {
    expect(enrichQuestion(menu, 'C')).toMatchObject({ added: [], choice: 'C', reason: 'noVisualMeaning' });
    expect(enrichQuestion(menu, 'D')).toMatchObject({ added: [], choice: 'D', reason: 'noVisualMeaning' });
  });

  test('a letter without an option is dropped', () => {
    expect(enrichQuestion(menu, 'E')).toMatchObject({ added: [], reason: 'noVisualMeaning' });
    expect(enrichQuestion(menu, 'E. a parrot').added).toEqual(['parrot']);
  });

  test('an answer in words is used unchanged', () => {
    expect(enrichQuestion(menu, 'A parrot on the sofa').added).toEqual(['parrot']);
  });

  test('the format sentence at the end of benchmark prompts is not part of the last option', () => {
    const prompt =
      "What is it?\nA. cat\nB. dog Answer with the option's letter from the given choices directly.";
    expect(enrichQuestion(prompt, 'B').added).toEqual(['dog']);
  });

  test('letters can be left unresolved', () => {
    expect(enrichQuestion(menu, 'A', { resolveChoices: false })).toMatchObject({ reason: 'noVisualMeaning' });
    expect(enrichQuestion(menu, 'E. a parrot', { resolveChoices: false }).added).toEqual(['parrot']);
  });
});

describe('repeats', () => {
  test('repeats are dropped, ignoring case', () => {
    expect(enrichQuestion(question, 'Man holding red red RED kite').added).toEqual(['red', 'kite']);
    expect(enrichQuestion(question, 'the man')).toMatchObject({ added: [], reason: 'nothingNew' });
  });

  test('repeats can be kept: each is another target', () => {
    expect(enrichQuestion(question, 'man red red', { suppressRepeats: false }).added).toEqual([
      'man',
      'red',
      'red',
    ]);
  });
});

test('a very long answer is cut to maxWords', () => {
  const answer = Array.from({ length: 5000 }, (_, i) => `thing${i}`).join(' ');
  expect(enrichQuestion(question, answer).added).toHaveLength(16);
  expect(enrichQuestion(question, answer, { maxWords: 3 }).added).toEqual(['thing0', 'thing1', 'thing2']);
  expect(enrichQuestion(question, answer, { maxWords: 0 }).reason).toBe('nothingNew');
});

test("the answer's words have the given weight", () => {
  const { words } = enrichQuestion(question, 'a kite', { answerWeight: 0.25 });
  expect(words.map(({ weight }) => weight)).toEqual([1, 1, 0.25]);
});

test('words of any script', () => {
  expect(enrichQuestion('Was hält der Mann?', 'einen grünen Schirm').added).toEqual([
    'einen',
    'grünen',
    'Schirm',
  ]);
  expect(enrichQuestion('这是什么?', '狗').added).toEqual(['狗']);
});

test('custom stop words', () => {
  const options = { answerStopWords: ['einen'], keywords: { stopWords: ['was', 'der'] } };
  expect(enrichQuestion('Was hält der Mann?', 'einen Schirm', options).words.map(({ word }) => word)).toEqual(
    ['hält', 'Mann', 'Schirm'],
  );
});

test('invalid options are rejected by name', () => {
  const wrong = (options: object) => () => enrichQuestion(question, 'kite', options);
  expect(wrong({ maxWords: -1 })).toThrow(/maxWords/);
  expect(wrong({ answerWeight: Number.NaN })).toThrow(/answerWeight/);
  expect(wrong({ drop: ['letters'] })).toThrow(/drop/);
  expect(wrong({ maxTokens: 4 })).toThrow(/maxTokens/);
  expect(() => enrichQuestion(question, undefined as unknown as string)).toThrow(/answer/);
});
