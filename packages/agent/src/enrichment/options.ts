// The options of enrichment and the schema that checks them.

import { type KeywordOptions, STOP_WORDS } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';

/**
 * Kinds of answers that say nothing about how things look: `'optionLetter'` a lone letter such as "B" (unless it was
 * resolved), `'yesNo'` the words yes and no, `'number'` a bare number in digits or as an English word.
 */
export type MeaninglessAnswer = 'optionLetter' | 'yesNo' | 'number';

/** Options of `enrichQuestion`. */
export interface EnrichmentOptions {
  /** Answers to leave out. @default `['optionLetter', 'yesNo', 'number']` */
  readonly drop?: readonly MeaninglessAnswer[];
  /** Take an option's text for its letter, where the question lists options. @default true */
  readonly resolveChoices?: boolean;
  /**
   * Leave out words that the question, or the answer before, has already. The text of a resolved option is not held
   * against the question, which lists it: naming it again is what sets it off from the other options. @default true
   */
  readonly suppressRepeats?: boolean;
  /** Add at most this many words. @default 16 */
  readonly maxWords?: number;
  /** How much each word of the answer counts beside a word of the question, which counts 1. @default 1 */
  readonly answerWeight?: number;
  /** The word filter of the question, as for `keywords` of @mmtok/core. */
  readonly keywords?: KeywordOptions;
  /**
   * Words of an answer to leave out, in lower case.
   * @default the stop-words of @mmtok/core, further English function words, and words such as "image" and "unknown"
   */
  readonly answerStopWords?: Iterable<string>;
}

/** The options, complete. */
export interface ResolvedEnrichmentOptions {
  readonly drop: ReadonlySet<MeaninglessAnswer>;
  readonly resolveChoices: boolean;
  readonly suppressRepeats: boolean;
  readonly maxWords: number;
  readonly answerWeight: number;
  readonly keywords: KeywordOptions;
  /** Words of an answer to leave out, in lower case. */
  readonly answerStopWords: ReadonlySet<string>;
}

/**
 * Function words that the stop-words for questions keep, what is left of contractions such as "don't", words that speak
 * of the picture instead of what it shows, and words that say that there is nothing to say.
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
