// How questions become words and ids: what the official code produces, and what this package produces.

import { describe, expect, it } from 'vitest';
import type { OfficialText } from '../families/family.js';
import type { TokenizerLike } from '../internal/types.js';
import { tokenizeWords, wordsOf } from './question.js';

const official = (question: string, family: OfficialText = 'keywords'): string[] =>
  wordsOf(question, { text: 'official', keywords: {} }, family);

describe("the official preparation of LLaVA's questions", () => {
  it.each([
    ['Is there a red cup on the table?', ['there', 'red', 'cup', 'on', 'table']],
    // Stop words only: the text stays as is, with its punctuation.
    ['What is it?', ['What', 'is', 'it?']],
    ['What is it? Answer the question using a single word or phrase.', ['What', 'is', 'it?']],
    ['<image>\nred cup', ['red', 'cup']],
    // In Python, a combining mark is not part of a word.
    ['cafe\u0301 au lait', ['cafe', 'au', 'lait']],
    ['?!', ['?!']],
    ['', []],
    ['  ', []],
  ])('%j', (question, words) => {
    expect(official(question)).toEqual(words);
  });
});

it("keeps every word of Qwen's questions, after a prefix", () => {
  expect(official('What is on the table?', 'prefixed')).toEqual([
    ...['Question:', 'What', 'is', 'on', 'the', 'table?'],
  ]);
  expect(official('', 'prefixed')).toEqual([]);
});

it('does not change the default preparation', () => {
  expect(wordsOf('What is it?', { text: 'keywords', keywords: {} }, 'prefixed')).toEqual([
    'What',
    'is',
    'it',
  ]);
  expect(wordsOf('What is it?', { text: 'keywords', keywords: false }, 'prefixed')).toEqual([
    ...['What', 'is', 'it?'],
  ]);
});

it('tokenizes each word separately if the official code does', () => {
  const texts: string[] = [];
  const tokenizer = ((text: string) => {
    texts.push(text);
    return { input_ids: [texts.length, text.length] };
  }) as unknown as TokenizerLike;
  expect(tokenizeWords({ tokenizer }, ['red', 'cup'], 'official')).toEqual([1, 3, 2, 3]);
  expect(tokenizeWords({ tokenizer }, ['red', 'cup'], 'keywords')).toEqual([3, 7]);
  expect(texts).toEqual(['red', 'cup', 'red cup']);
});
