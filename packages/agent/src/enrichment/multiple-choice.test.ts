// Finding options in questions and letters in answers.

import { describe, expect, test } from 'vitest';
import { parseChoices, readChoice } from './multiple-choice.js';

const catAndDog = [
  { letter: 'A', text: 'a cat' },
  { letter: 'B', text: 'a dog' },
];

describe('parseChoices', () => {
  test.each([
    'Which?\nA. a cat\nB. a dog',
    'Which?\n(A) a cat\n(B) a dog\n\nAnswer now.',
    'Which?\nA) a cat\nB) a dog',
    'Which? A: a cat B: a dog',
    'Options: A. a cat, B. a dog',
    'Which? (a) a cat; (b) a dog',
    'Is plan A: good?\nA. a cat\nB. a dog',
  ])('%j', (question) => expect(parseChoices(question)).toEqual(catAndDog));

  test.each(['What is on vitamin B. bottle?', 'A. Smith painted what?', 'Who is J. F. K.?', ''])(
    'no options: %j',
    (question) => expect(parseChoices(question)).toEqual([]),
  );

  test('options may be longer than four', () => {
    const letters = [...'ABCDEFGH'];
    const question = letters.map((letter) => `${letter}. thing ${letter}`).join('\n');
    expect(parseChoices(question).map(({ letter }) => letter)).toEqual(letters);
  });
});

describe('readChoice', () => {
  test.each([
    ['B', 'B', ''],
    [' (b). ', 'B', ''],
    ['B) a dog', 'B', 'a dog'],
    ['My answer is: C', 'C', ''],
    ['the best option is D.', 'D', ''],
  ])('%j', (answer, letter, text) => expect(readChoice(answer)).toEqual({ letter, text }));

  test.each(['', 'a dog', 'Big dog', 'I think so', '7.', '狗'])('has no letter: %j', (answer) =>
    expect(readChoice(answer)).toBeUndefined(),
  );
});
