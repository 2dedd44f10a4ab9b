// The keywords of the benchmarks' prompts equal those of the official implementation.

import { readFileSync } from 'node:fs';
import { keywords } from '@mmtok/core';
import { describe, expect, it } from 'vitest';

const cases: readonly { task: string; prompt: string; expected: string }[] = JSON.parse(
  readFileSync(new URL('data/metrics-golden.json', import.meta.url), 'utf8'),
).mmtok_llava_selection_text;

// Where keywords() differs on purpose: it keeps combining marks in their words, which many scripts need, and gives words,
// not the text with its marks, when all of them are stop words.
const OURS: ReadonlyMap<string, string> = new Map([
  ['Éa bcd x Reference OCR token', 'Éa bcd i̇x Reference OCR token'],
  ['What is it?', 'What is it'],
  ['Who?', 'Who'],
]);

describe('keywords of prompts', () => {
  it.each(cases)('$task: $prompt', ({ prompt, expected }) => {
    expect(keywords(prompt).join(' ')).toBe(OURS.get(expected) ?? expected);
  });
});
