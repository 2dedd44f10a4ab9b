// Prepares a question for text coverage: removes image placeholders, answer-format requests and stop words.

import * as z from 'zod';
import { parseOptions } from './errors.js';

/** Stop words of the MMTok implementation for LLaVA, in lower case. "in", "of", "this", "image" and "there" stay. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an the is are was were be been being have has had do does did it they he she we you i ' +
    'what where when why how who which and or but so if then question answer ' +
    'to for with by from at into onto upon'
  ).split(' '),
);

/** Options of {@link keywords}. */
export interface KeywordOptions {
  /** Words to exclude, in any case; `false` keeps every word. @default the 47 of the official implementation */
  readonly stopWords?: Iterable<string> | false | undefined;
  /** Sentences that request an answer format and say nothing about the image. @default {@link ANSWER_FORMATS} */
  readonly answerFormats?: readonly string[] | undefined;
}

/** The answer-format sentences of LLaVA's benchmark prompts, which the official implementation removes. */
export const ANSWER_FORMATS: readonly string[] = [
  'Answer the question using a single word or phrase.',
  "Answer with the option's letter from the given choices directly.",
];

const stopWordList = z
  .custom<Iterable<string>>(
    (value) => typeof value !== 'string' && typeof Object(value)[Symbol.iterator] === 'function',
    'expected words, e.g. an array or a Set, or false',
  )
  .transform((words) => [...words])
  .pipe(z.array(z.string()));

const schema = z.strictObject({
  stopWords: z.union([z.literal(false), stopWordList]).default([...STOP_WORDS]),
  // Removing '' would cut the question into letters.
  answerFormats: z.array(z.string().min(1, 'expected a sentence')).default([...ANSWER_FORMATS]),
}) satisfies z.ZodType<KeywordOptions, KeywordOptions>;

/** A word as it is compared: `Ｗｈａｔ` and `WHAT` are both `what`. */
const comparable = (word: string): string => word.normalize('NFKC').toLowerCase();

/**
 * The words of a question that should drive text coverage, in order, with repeats, as they are written. Words are runs of letters,
 * digits and underscores in any script. Stop words match regardless of case and of Unicode compatibility forms such as full-width
 * letters. If every word is a stop word, all words are returned.
 *
 * @example
 * keywords('<image>\nIs there a red cup on the table?'); // ['there', 'red', 'cup', 'on', 'table']
 * @throws InvalidOptionsError if the question is not a string, or for invalid options.
 */
export function keywords(question: string, options: KeywordOptions = {}): string[] {
  const text = parseOptions('question', z.string(), question);
  const { stopWords, answerFormats } = parseOptions('options of keywords', schema, options);
  const withoutImages = text.replace(/^(\s*<image>)+\s*/u, '');
  const asked = answerFormats.reduce((rest, sentence) => rest.replaceAll(sentence, ' '), withoutImages);
  const words = asked.match(/[\p{L}\p{M}\p{N}_]+/gu) ?? [];
  if (stopWords === false) return [...words];
  const dropped = new Set(stopWords.map(comparable));
  // Words stay as written: compatibility forms would also rewrite letters that a tokenizer knows, such as Thai SARA AM.
  const kept = words.filter((word) => !dropped.has(comparable(word)));
  return kept.length > 0 ? kept : [...words];
}
