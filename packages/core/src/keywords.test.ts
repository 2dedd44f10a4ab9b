// The keyword filter: the rules of the official implementation, in every script, and invalid arguments.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidOptionsError } from './errors.js';
import { ANSWER_FORMATS, keywords, STOP_WORDS } from './keywords.js';

const [singleWord, optionLetter] = ANSWER_FORMATS as [string, string];

describe('keywords', () => {
  it.each([
    ['Is there a red cup on the table?', ['there', 'red', 'cup', 'on', 'table']],
    ['What is the color of this image?', ['color', 'of', 'this', 'image']],
    ['WHAT IS THE TITLE OF The Book', ['TITLE', 'OF', 'Book']],
    ['cup, cup and cup', ['cup', 'cup', 'cup']],
    ['How many dogs-and-cats?', ['many', 'dogs', 'cats']],
    ['snake_case 3.14 A4', ['snake_case', '3', '14', 'A4']],
    ["the dog's bowl", ['dog', 's', 'bowl']],
    ['in the box', ['in', 'box']],
  ])('%s', (question, words) => {
    expect(keywords(question)).toEqual(words);
  });

  describe('image placeholders', () => {
    it.each([
      ['<image>\nred cup'],
      ['<image> <image> <image>\nred cup'],
      ['<image><image>red cup'],
      ['  <image>\n\n red cup'],
    ])('%j is stripped from the front', (question) => {
      expect(keywords(question)).toEqual(['red', 'cup']);
    });
    it('leaves the word image, and placeholders elsewhere, alone', () => {
      expect(keywords('red image')).toEqual(['red', 'image']);
      expect(keywords('red <image>')).toEqual(['red', 'image']);
    });
  });

  describe('answer formats', () => {
    it.each([
      `Red cup?\n${singleWord}`,
      `Red cup? ${optionLetter}`,
      `<image>\nRed cup?${singleWord}`,
      `${singleWord} Red cup?`,
    ])('%j', (question) => {
      expect(keywords(question)).toEqual(['Red', 'cup']);
    });
    it('are the two sentences of the official implementation', () => {
      expect(ANSWER_FORMATS).toEqual([
        'Answer the question using a single word or phrase.',
        "Answer with the option's letter from the given choices directly.",
      ]);
    });
    it('leave a word boundary behind', () => {
      expect(keywords(`red${singleWord}cup`)).toEqual(['red', 'cup']);
    });
    it('may be others, or none', () => {
      expect(keywords('red cup. Be brief.', { answerFormats: ['Be brief.'] })).toEqual(['red', 'cup']);
      expect(keywords(singleWord, { answerFormats: [] })).toEqual(['using', 'single', 'word', 'phrase']);
    });
  });

  describe('scripts', () => {
    it.each([
      ['图片里有什么动物？', ['图片里有什么动物']],
      ['红色 的 杯子，在哪里', ['红色', '的', '杯子', '在哪里']],
      ['Где стоит красная чашка?', ['Где', 'стоит', 'красная', 'чашка']],
      ['Où est la tasse café?', ['Où', 'est', 'la', 'tasse', 'café']],
      ['où est la cafe\u0301', ['où', 'est', 'la', 'cafe\u0301']],
      ['ما لون الكأس؟', ['ما', 'لون', 'الكأس']],
      ['कप कहाँ है?', ['कप', 'कहाँ', 'है']],
      ['Größe 大 π ٣', ['Größe', '大', 'π', '٣']],
      ['a 🍎 on 🪑', ['on']],
    ])('%s', (question, words) => {
      expect(keywords(question)).toEqual(words);
    });
  });

  describe('stop words', () => {
    it('are 47, in lower case, without those that stay', () => {
      for (const word of ['in', 'of', 'on', 'this', 'image', 'there'])
        expect(STOP_WORDS.has(word)).toBe(false);
      for (const word of STOP_WORDS) expect(word).toBe(word.toLowerCase());
      expect(STOP_WORDS.size).toBe(47);
    });
    it('do not depend on case', () => {
      for (const word of STOP_WORDS) {
        const shouted = word.toUpperCase();
        const titled = `${shouted.slice(0, 1)}${word.slice(1)}`;
        expect(keywords(`${word} ${shouted} ${titled} cup`)).toEqual(['cup']);
      }
    });
    it('do not depend on Unicode compatibility forms; other words stay as written', () => {
      expect(keywords('Ｗｈａｔ is the ５th ﬁle?')).toEqual(['５th', 'ﬁle']);
      expect(keywords('page ５ of the file', { stopWords: ['5', 'ﬁle'] })).toEqual(['page', 'of', 'the']);
      expect(keywords('น้ำ cafe\u0301', { stopWords: ['CAFÉ'] })).toEqual(['น้ำ']);
    });
    it('are returned if nothing else is left', () => {
      expect(keywords('What is it?')).toEqual(['What', 'is', 'it']);
      expect(keywords(`<image>\nWhat is it? ${singleWord}`)).toEqual(['What', 'is', 'it']);
    });
    it('may be others, or off', () => {
      expect(keywords('the red cup', { stopWords: ['red'] })).toEqual(['the', 'cup']);
      expect(keywords('the red cup', { stopWords: new Set<string>() })).toEqual(['the', 'red', 'cup']);
      expect(keywords(`<image>\nWhat is the cup? ${singleWord}`, { stopWords: false })).toEqual([
        'What',
        'is',
        'the',
        'cup',
      ]);
    });
  });

  it.each(['', '   ', '<image>', '<image>\n', '?!…', singleWord])('%j has no words', (question) => {
    expect(keywords(question)).toEqual([]);
  });

  it.each([undefined, null, 7, ['red'], {}])('rejects %o as a question', (question) => {
    expect(() => keywords(question as unknown as string)).toThrow(InvalidOptionsError);
    expect(() => keywords(question as unknown as string)).toThrow('Invalid question');
  });

  it.each([
    { stopWords: 7 },
    { stopWords: true },
    { stopWords: [7] },
    { answerFormats: 'x' },
    { answerFormats: [''] },
    { unknown: 1 },
    null,
    'x',
  ])('rejects the options %o', (options) => {
    expect(() => keywords('red cup', options as unknown as Record<string, never>)).toThrow(
      InvalidOptionsError,
    );
  });

  it('returns words of the question, in order, and no stop word if there are other words', () => {
    const word = fc.oneof(fc.constantFrom(...STOP_WORDS), fc.constantFrom('cup', 'Чашка', '杯', 'x1'));
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.constantFrom(' ', ', ', '\n', '? '),
        (words, between) => {
          const wanted = words.filter((each) => !STOP_WORDS.has(each));
          expect(keywords(words.join(between))).toEqual(wanted.length > 0 ? wanted : words);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const words = keywords(text, { stopWords: false, answerFormats: [] });
        expect(words.every((each) => text.includes(each) && /^[\p{L}\p{M}\p{N}_]+$/u.test(each))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
