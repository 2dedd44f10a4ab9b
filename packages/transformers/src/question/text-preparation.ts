// Turns the text of a question into text tokens: by this package's rules, or by the official MMTok rules for the family.

import { ANSWER_FORMATS, type KeywordOptions, keywords, STOP_WORDS } from '@mmtok/core';
import type { OfficialText } from '../families/family.js';
import type { ProcessorLike } from '../internal/types.js';

/**
 * `'keywords'`: words without stop words, in all families, tokenized as one sentence. `'official'`: the way the official code
 * does it for the family, to reproduce its selections.
 */
export type TextPreparation = 'keywords' | 'official';

/** Options for the words of a question. */
export interface TextSettings {
  readonly text: TextPreparation;
  /** The word filter; `false` keeps the text unchanged. Official preparations have their own. */
  readonly keywords: KeywordOptions | false;
}

/** The words of a question. */
export function wordsOf(question: string, settings: TextSettings, official: OfficialText): string[] {
  if (settings.text === 'official') return officialWords(question, official);
  return settings.keywords === false ? atSpaces(question) : keywords(question, settings.keywords);
}

function officialWords(question: string, official: OfficialText): string[] {
  const shown = question.replace(/^(\s*<image>)+\s*/u, '');
  if (shown.trim() === '') return [];
  if (official === 'prefixed') return atSpaces(`Question: ${shown}`);
  const asked = ANSWER_FORMATS.reduce((rest, sentence) => rest.replaceAll(sentence, ''), shown);
  // Python's \w: letters, digits, and underscores of all scripts, without combining marks.
  const words = asked.match(/[\p{L}\p{N}_]+/gu) ?? [];
  const kept = words.filter((word) => !STOP_WORDS.has(word.toLowerCase()));
  return kept.length > 0 ? kept : atSpaces(asked);
}

function atSpaces(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** The ids of words: as one sentence, or each word alone, which drops the space before a word with some tokenizers. */
export function tokenizeWords(
  { tokenizer }: ProcessorLike,
  words: readonly string[],
  preparation: TextPreparation,
): number[] {
  const texts = preparation === 'official' ? words : [words.join(' ')];
  return texts.flatMap((text) => {
    const { input_ids } = tokenizer(text, { add_special_tokens: false, return_tensor: false });
    return Array.from(input_ids, Number);
  });
}
