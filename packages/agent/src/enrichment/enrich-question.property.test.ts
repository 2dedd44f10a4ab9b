// Properties of enrichment that hold for any question and any answer.

import { keywords } from '@mmtok/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { enrichQuestion } from './enrich-question.js';
import type { EnrichmentOptions } from './options.js';

const vocabulary =
  'the a man red red kite KITE umbrella dog yes no two 7 A B. (C) D) image of größe 狗 is Answer: option\n';
const phrase = fc
  .array(fc.oneof(fc.constantFrom(...vocabulary.split(' ')), fc.string({ maxLength: 6, unit: 'grapheme' })), {
    maxLength: 20,
  })
  .map((words) => words.join(' '));
const settings: fc.Arbitrary<EnrichmentOptions> = fc.record(
  {
    drop: fc.subarray(['optionLetter', 'yesNo', 'number'] as const),
    resolveChoices: fc.boolean(),
    suppressRepeats: fc.boolean(),
    maxWords: fc.nat(20),
    answerWeight: fc.double({ min: 0, max: 10, noNaN: true }),
  },
  { requiredKeys: [] },
);

test('the question is unchanged, and its words come first', () => {
  fc.assert(
    fc.property(phrase, phrase, settings, (question, answer, options) => {
      const { text, words, added } = enrichQuestion(question, answer, options);
      expect(text).toBe(added.length === 0 ? question : `${question}\n${added.join(' ')}`);
      const asked = words.filter(({ source }) => source === 'question').map(({ word }) => word);
      expect(asked).toEqual(keywords(question));
      expect(words.map(({ word }) => word)).toEqual([...asked, ...added]);
    }),
  );
});

test('added words are words of the answer or of an option, at most maxWords, with the given weight', () => {
  fc.assert(
    fc.property(phrase, phrase, settings, (question, answer, options) => {
      const { words, added, reason } = enrichQuestion(question, answer, options);
      const said = `${answer} ${question}`.toLowerCase();
      const possible = new Set(keywords(said, { stopWords: false, answerFormats: [] }));
      for (const word of added) expect(possible).toContain(word.toLowerCase());
      expect(added.length).toBeLessThanOrEqual(options.maxWords ?? 16);
      expect(reason === 'enriched').toBe(added.length > 0);
      for (const { source, weight } of words) {
        expect(weight).toBe(source === 'question' ? 1 : (options.answerWeight ?? 1));
      }
    }),
  );
});

test('nothing is added twice', () => {
  fc.assert(
    fc.property(phrase, phrase, (question, answer) => {
      const { added, choice } = enrichQuestion(question, answer);
      const folded = added.map((word) => word.toLowerCase());
      expect(new Set(folded).size).toBe(folded.length);
      if (choice !== undefined) return;
      const asked = new Set(keywords(question).map((word) => word.toLowerCase()));
      expect(folded.filter((word) => asked.has(word))).toEqual([]);
    }),
  );
});

test('the letter of a listed option adds words of that option only', () => {
  const option = fc
    .array(fc.constantFrom('red', 'green', 'kite', 'umbrella', 'dog', 'two'), { minLength: 1, maxLength: 4 })
    .map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.array(option, { minLength: 2, maxLength: 8 }), fc.nat(), (options, pick) => {
      const letter = (index: number) => String.fromCharCode(65 + index);
      const question = `Which?\n${options.map((text, index) => `${letter(index)}. ${text}`).join('\n')}`;
      const chosen = pick % options.length;
      const { added, choice } = enrichQuestion(question, letter(chosen));
      const expected = [...new Set(options[chosen]?.split(' '))];
      expect(choice).toBe(letter(chosen));
      expect(added).toEqual(expected.every((word) => word === 'two') ? [] : expected);
    }),
  );
});
