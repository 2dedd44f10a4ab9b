// The answer normaliser of the VQA evaluation: punctuation, articles, number words, contractions, with its quirks.
// Not the score: see vqa-accuracy.ts.
// Sources: https://visualqa.org/evaluation.html and https://github.com/EvolvingLMMs-Lab/lmms-eval
// (lmms_eval/tasks/_task_utils/vqa_eval_metric.py).

import { strip, words } from './python-text.js';
import { CONTRACTIONS } from './vqa-contractions.js';

const PUNCTUATION = [...';/[]"{}()=+\\_-><@`,?!'];
const DIGITS_AROUND_COMMA = /\p{Nd},+\p{Nd}/u;
const PERIOD_NOT_BEFORE_DIGIT = /\.(?!\p{Nd})/gu;
// The official code passes a flag (32) where the number of replacements goes.
const MOST_PERIODS = 32;
const NUMBER_WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const NUMBERS: ReadonlyMap<string, string> = new Map([
  ['none', '0'],
  ...NUMBER_WORDS.map((word, number): [string, string] => [word, String(number)]),
]);
const ARTICLES: ReadonlySet<string> = new Set(['a', 'an', 'the']);

/**
 * Deletes punctuation that stands beside a space (anywhere in `text`), replaces other punctuation by a space, and deletes
 * periods that no digit follows.
 */
export function vqaPunctuation(text: string): string {
  const deleteAll = DIGITS_AROUND_COMMA.test(text);
  let result = text;
  for (const mark of PUNCTUATION) {
    const besideSpace = text.includes(`${mark} `) || text.includes(` ${mark}`);
    result = result.replaceAll(mark, besideSpace || deleteAll ? '' : ' ');
  }
  let periods = 0;
  return result.replace(PERIOD_NOT_BEFORE_DIGIT, (period) => (periods++ < MOST_PERIODS ? '' : period));
}

/** Lower case, number words up to ten as digits, no articles, contractions with their apostrophes, single spaces. */
export function vqaDigitArticle(text: string): string {
  return words(text.toLowerCase())
    .map((word) => NUMBERS.get(word) ?? word)
    .filter((word) => !ARTICLES.has(word))
    .map((word) => CONTRACTIONS.get(word) ?? word)
    .join(' ');
}

/** Newlines and tabs as spaces, stripped: what is done even where nothing is normalised. */
export function onOneLine(text: string): string {
  return strip(text.replace(/[\n\t]/g, ' '));
}

/** The normaliser of VQAv2. */
export function normalizeVqav2(text: string): string {
  return vqaDigitArticle(vqaPunctuation(onOneLine(text)));
}

/** The normaliser of TextVQA and VizWiz: VQAv2's, with commas, question marks and `'s` treated before. */
export function normalizeVqa(text: string): string {
  return normalizeVqav2(strip(text.toLowerCase().replace(/[,?]/g, '').replaceAll("'s", " 's")));
}
