// Enrichment: the words that a first answer adds to a question, so that text coverage also covers what the answer
// names. Pure functions of two strings.

import { ANSWER_FORMATS, keywords } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { parseChoices, readChoice } from './multiple-choice.js';
import {
  type EnrichmentOptions,
  type ResolvedEnrichmentOptions,
  resolveEnrichmentOptions,
} from './options.js';

/** Why words were or were not added. */
export type EnrichmentReason =
  /** Words were added. */
  | 'enriched'
  /** The answer has no words. */
  | 'emptyAnswer'
  /** The answer says nothing about what things look like. */
  | 'noVisualMeaning'
  /** The question already has all words of the answer, or `maxWords` is 0. */
  | 'nothingNew';

/** A word that drives text coverage. */
export interface EnrichedWord {
  readonly word: string;
  readonly source: 'question' | 'answer';
  /** The word's weight as a target of text coverage. */
  readonly weight: number;
}

/** A question and the words that an answer added. */
export interface Enrichment {
  /** The question as given, followed by a line with the added words, if any. */
  readonly text: string;
  /** The keywords of the question, then the added words. */
  readonly words: readonly EnrichedWord[];
  /** The added words, in the answer's order. */
  readonly added: readonly string[];
  readonly reason: EnrichmentReason;
  /** The letter of the option whose text replaced the answer. */
  readonly choice?: string;
}

/**
 * Adds the words of an answer that say what to look for to a question: the agent of MMTok's first version
 * (https://arxiv.org/abs/2508.18264v1), with rules for answers that add nothing, such as option letters.
 *
 * @throws InvalidOptionsError for options of the wrong form, and for a question or answer that is not a string.
 * @example
 * enrichQuestion('What is the man holding?', 'A yellow umbrella.').added; // ['yellow', 'umbrella']
 * enrichQuestion('Which animal?\nA. a black cat\nB. a dog', 'A').added; // ['black', 'cat']
 * enrichQuestion('Is there a cup?', 'Yes').reason; // 'noVisualMeaning'
 */
export function enrichQuestion(
  question: string,
  answer: string,
  options: EnrichmentOptions = {},
): Enrichment {
  const settings = resolveEnrichmentOptions(options);
  const asked = parseOptions('question', z.string(), question);
  const { said, choice } = resolveChoice(asked, parseOptions('answer', z.string(), answer), settings);

  const own = keywords(asked, settings.keywords);
  const all = keywords(said, { ...settings.keywords, stopWords: false });
  const content = contentWords(all, settings);
  const fresh = settings.suppressRepeats ? withoutRepeats(content, choice === undefined ? own : []) : content;
  const added = fresh.slice(0, settings.maxWords);

  return {
    text: added.length === 0 ? asked : `${asked}\n${added.join(' ')}`,
    words: [
      ...own.map((word) => ({ word, source: 'question', weight: 1 }) as const),
      ...added.map((word) => ({ word, source: 'answer', weight: settings.answerWeight }) as const),
    ],
    added,
    reason: reasonOf(all, content, added),
    ...(choice !== undefined && { choice }),
  };
}

/** The answer, with an option's letter replaced by the option's text. */
function resolveChoice(
  question: string,
  answer: string,
  { resolveChoices, keywords: { answerFormats = ANSWER_FORMATS } }: ResolvedEnrichmentOptions,
): { readonly said: string; readonly choice?: string } {
  const named = readChoice(answer);
  if (named === undefined) return { said: answer };
  const listed = answerFormats.reduce((rest, sentence) => rest.replaceAll(sentence, '\n'), question);
  const option = resolveChoices
    ? parseChoices(listed).find(({ letter }) => letter === named.letter)
    : undefined;
  if (option !== undefined) return { said: option.text, choice: option.letter };
  return { said: named.text === '' ? named.letter : named.text };
}

/** The words that are not in `known` and have not occurred before, ignoring case. */
function withoutRepeats(words: readonly string[], known: readonly string[]): readonly string[] {
  const seen = new Set(known.map((word) => word.toLowerCase()));
  return words.filter((word) => {
    const isNew = !seen.has(word.toLowerCase());
    seen.add(word.toLowerCase());
    return isNew;
  });
}

function reasonOf(
  all: readonly string[],
  content: readonly string[],
  added: readonly string[],
): EnrichmentReason {
  if (added.length > 0) return 'enriched';
  if (all.length === 0) return 'emptyAnswer';
  return content.length === 0 ? 'noVisualMeaning' : 'nothingNew';
}

// The words below are English; words of other languages are always content words.

const YES_NO = new Set(['yes', 'no', 'yeah', 'yep', 'nope']);

const NUMBERS = new Set(
  (
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
    'seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million none'
  ).split(' '),
);

const isNumber = (word: string): boolean => /^\p{N}+$/u.test(word) || NUMBERS.has(word.toLowerCase());
const isLetter = (word: string): boolean => /^[a-z]$/i.test(word);

/** The content words of an answer; none if the whole answer is of a dropped kind. */
function contentWords(
  words: readonly string[],
  { drop, answerStopWords }: Pick<ResolvedEnrichmentOptions, 'drop' | 'answerStopWords'>,
): readonly string[] {
  const [only] = words;
  // Checked before the stop words, since "a" is one of them.
  if (words.length === 1 && only !== undefined && isLetter(only))
    return drop.has('optionLetter') ? [] : words;
  const content = words.filter((word) => {
    const lower = word.toLowerCase();
    return YES_NO.has(lower) ? !drop.has('yesNo') : !answerStopWords.has(lower);
  });
  return drop.has('number') && content.every(isNumber) ? [] : content;
}
