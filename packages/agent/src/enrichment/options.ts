// The options of enrichment and their schema.

import { type KeywordOptions, STOP_WORDS } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';

/**
 * Kinds of answers without visual meaning: `'optionLetter'`, a single letter such as "B" that was not resolved; `'yesNo'`, the
 * words yes and no; `'number'`, a bare number in digits or as an English word.
 */
export type MeaninglessAnswer = 'optionLetter' | 'yesNo' | 'number';

/** Options of `enrichQuestion`. */
export interface EnrichmentOptions {
  /** Answers to drop. @default `['optionLetter', 'yesNo', 'number']` */
  readonly drop?: readonly MeaninglessAnswer[];
  /** Replace an option's letter with the option's text if the question lists options. @default true */
  readonly resolveChoices?: boolean;
  /**
   * Drop words that are already in the question or occurred earlier in the answer. The text of a resolved option is kept
   * although the question lists it, because repeating it distinguishes it from the other options. @default true
   */
  readonly suppressRepeats?: boolean;
  /** Maximum number of added words. @default 16 */
  readonly maxWords?: number;
  /** The weight of an added word; a word of the question has weight 1. @default 1 */
  readonly answerWeight?: number;
  /** The question's word filter: the options of `keywords` of @mmtok/core. */
  readonly keywords?: KeywordOptions;
  /**
   * Words of an answer to drop, in lowercase.
   * @default the stop words of @mmtok/core, further English function words, and words such as "image" and "unknown"
   */
  readonly answerStopWords?: Iterable<string>;
}

/** The options with defaults filled in. */
export interface ResolvedEnrichmentOptions {
  readonly drop: ReadonlySet<MeaninglessAnswer>;
  readonly resolveChoices: boolean;
  readonly suppressRepeats: boolean;
  readonly maxWords: number;
  readonly answerWeight: number;
  readonly keywords: KeywordOptions;
  /** Words of an answer to drop, in lowercase. */
  readonly answerStopWords: ReadonlySet<string>;
}

/**
 * Function words that the stop words for questions keep, fragments of contractions such as "don't", words about the
 * image rather than its content, and words that decline to answer.
 */
const ANSWER_STOP_WORDS: ReadonlySet<string> = new Set([
  ...STOP_WORDS,
  ...(
    'of in on at as its their his her this that these those there here also very can could may might will would ' +
    'should not s t d m re ve ll don doesn didn isn aren wasn weren hasn haven won couldn wouldn ' +
    'image images picture photo photograph scene shows showing shown show depicts appears seems see visible ' +
    'know sure sorry unknown unclear unable cannot unanswerable'
  ).split(' '),
]);

const schema = z.strictObject({
  drop: z.array(z.enum(['optionLetter', 'yesNo', 'number'])).default(['optionLetter', 'yesNo', 'number']),
  resolveChoices: z.boolean().default(true),
  suppressRepeats: z.boolean().default(true),
  maxWords: z.int('expected a whole number').nonnegative('expected 0 or more').default(16),
  answerWeight: z.number().nonnegative().finite().default(1),
  keywords: z
    .custom<KeywordOptions>((value) => typeof value === 'object' && value !== null, 'expected an object')
    .default({}),
  answerStopWords: z
    .custom<Iterable<string>>(
      (value) => typeof value === 'object' && value !== null && Symbol.iterator in value,
      'expected an array or a set of words',
    )
    .default(ANSWER_STOP_WORDS),
});

/**
 * Checks the options and fills in the defaults.
 * @throws InvalidOptionsError
 */
export function resolveEnrichmentOptions(options: EnrichmentOptions): ResolvedEnrichmentOptions {
  const parsed = parseOptions('options of enrichQuestion', schema, options);
  return { ...parsed, drop: new Set(parsed.drop), answerStopWords: new Set(parsed.answerStopWords) };
}
