// Which words of an answer have visual meaning. The lists are English; words of other languages pass.

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

/** The content words of an answer; none if the whole answer is of a dropped kind. */
export function contentWords(
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
