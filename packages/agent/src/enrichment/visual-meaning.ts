// Which words of an answer tell how something looks. English lists; words of other languages pass.

import type { ResolvedEnrichmentOptions } from './options.js';

const YES_NO = new Set(['yes', 'no', 'yeah', 'yep', 'nope']);

const NUMBERS = new Set(
  (
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
    'seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million none'
  ).split(' '),
);

const isNumber = (word: string): boolean => /^\p{N}+$/u.test(word) || NUMBERS.has(word.toLowerCase());
const isLetter = (word: string): boolean => /^[a-z]$/i.test(word);

/** The content words of an answer; none if answers of its kind are dropped. */
export function contentWords(
  words: readonly string[],
  { drop, answerStopWords }: Pick<ResolvedEnrichmentOptions, 'drop' | 'answerStopWords'>,
): readonly string[] {
  const [only] = words;
  // Before the stop-words, of which "a" is one.
  if (words.length === 1 && only !== undefined && isLetter(only))
    return drop.has('optionLetter') ? [] : words;
  const content = words.filter((word) => {
    const lower = word.toLowerCase();
    return YES_NO.has(lower) ? !drop.has('yesNo') : !answerStopWords.has(lower);
  });
  return drop.has('number') && content.every(isNumber) ? [] : content;
}
