// The soft accuracy of VQAv2, TextVQA and VizWiz, with the answer normalizer of the VQA evaluation.

import { mean } from '../stats/statistics.js';
import { type Profile, strip, words } from './harness.js';

// The contraction table of the VQA evaluation: what "dont" is rewritten to. Words that would collide with others (its, well,
// were, …) are missing there on purpose.
// Source: https://github.com/GT-Vision-Lab/VQA/blob/master/PythonEvaluationTools/vqaEvaluation/vqaEval.py

// The key is the value without its apostrophe: dont → don't.
const ONE_APOSTROPHE =
  "ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's I'm " +
  "I've isn't it'd it'll ma'am mightn't might've mustn't must've needn't not've o'clock oughtn't shan't should've " +
  "shouldn't somebody'll somebody's someone'd someone'll someone's something'd something'll that's there'd there're " +
  "there's they'd they'll they're they've 'twas wasn't we've weren't what'll what're what's what've when's where'd " +
  "where's where've who'd who'll who's who've why'll why're why's won't would've wouldn't y'all you'd you'll you're " +
  "you've";

// Two keys each, without the first or the second apostrophe: couldnt've, couldn'tve → couldn't've.
const TWO_APOSTROPHES =
  "couldn't've hadn't've he'd've I'd've it'd've mightn't've she'd've shouldn't've somebody'd've someone'd've " +
  "something'd've there'd've they'd've we'd've who'd've wouldn't've y'all'll you'd've";

const IRREGULAR: readonly (readonly [key: string, value: string])[] = [
  ["ow's'at", "'ow's'at"],
  ["'ows'at", "'ow's'at"],
  ["'ow'sat", "'ow's'at"],
  ["somebody'd", 'somebodyd'],
  ["yall'd've", "y'all'd've"],
  ["y'alld've", "y'all'd've"],
  ["y'all'dve", "y'all'd've"],
  ["let's", "let's"],
  ["she's", "she's"],
];

function twoKeys(value: string): [string, string][] {
  const last = value.lastIndexOf("'");
  return [
    [value.replace("'", ''), value],
    [value.slice(0, last) + value.slice(last + 1), value],
  ];
}

/** From the word as written to the word with apostrophes; 120 entries. */
const CONTRACTIONS: ReadonlyMap<string, string> = new Map([
  ...ONE_APOSTROPHE.split(' ').map((value): [string, string] => [value.replace("'", ''), value]),
  ...TWO_APOSTROPHES.split(' ').flatMap(twoKeys),
  ...IRREGULAR,
]);

// The answer normalizer of the VQA evaluation, including its quirks: punctuation, articles, number words, contractions.
// Sources: https://visualqa.org/evaluation.html and https://github.com/EvolvingLMMs-Lab/lmms-eval
// (lmms_eval/tasks/_task_utils/vqa_eval_metric.py).

const PUNCTUATION = [...';/[]"{}()=+\\_-><@`,?!'];
const DIGITS_AROUND_COMMA = /\p{Nd},+\p{Nd}/u;
const PERIOD_NOT_BEFORE_DIGIT = /\.(?!\p{Nd})/gu;
// The official code passes a flag (32) as the number of replacements.
const MOST_PERIODS = 32;
const NUMBER_WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const NUMBERS: ReadonlyMap<string, string> = new Map([
  ['none', '0'],
  ...NUMBER_WORDS.map((word, number): [string, string] => [word, String(number)]),
]);
const ARTICLES: ReadonlySet<string> = new Set(['a', 'an', 'the']);

/**
 * Deletes punctuation next to a space (anywhere in `text`), replaces other punctuation with a space, and deletes periods that no
 * digit follows.
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

/** Lower case, number words up to ten as digits, no articles, contractions with apostrophes, single spaces. */
export function vqaDigitArticle(text: string): string {
  return words(text.toLowerCase())
    .map((word) => NUMBERS.get(word) ?? word)
    .filter((word) => !ARTICLES.has(word))
    .map((word) => CONTRACTIONS.get(word) ?? word)
    .join(' ');
}

/** Newlines and tabs become spaces, then strip. Applied even where nothing else is normalized. */
function onOneLine(text: string): string {
  return strip(text.replace(/[\n\t]/g, ' '));
}

/** The VQAv2 normalizer. */
export function normalizeVqav2(text: string): string {
  return vqaDigitArticle(vqaPunctuation(onOneLine(text)));
}

/** The normalizer of TextVQA and VizWiz: VQAv2's, after handling commas, question marks and `'s`. */
export function normalizeVqa(text: string): string {
  return normalizeVqav2(strip(text.toLowerCase().replace(/[,?]/g, '').replaceAll("'s", " 's")));
}

// The score of an answer: the more annotators agree with it, the higher. Source: https://visualqa.org/evaluation.html

/** An answer as compared, and its score. */
export interface VqaScore {
  /** From 0 to 1. */
  readonly value: number;
  readonly normalized: string;
}

/**
 * The mean over annotators of min(1, matches among the OTHER annotators / 3). Expects normalized texts.
 * With ten annotators, 0, 1, 2, 3 and more matches give 0, 0.3, 0.6, 0.9 and 1. Without annotators: 0.
 */
export function softAccuracy(prediction: string, answers: readonly string[]): number {
  const matches = answers.filter((answer) => answer === prediction).length;
  const perAnnotator = answers.map((answer) =>
    Math.min(1, (answer === prediction ? matches - 1 : matches) / 3),
  );
  return mean(perAnnotator);
}

/** TextVQA (https://textvqa.org/) and VizWiz (https://vizwiz.org/tasks-and-datasets/vqa/). */
export function vqaAccuracy(prediction: string, answers: readonly string[]): VqaScore {
  const normalized = normalizeVqa(prediction);
  return { value: softAccuracy(normalized, answers.map(normalizeVqa)), normalized };
}

/**
 * VQAv2 (https://visualqa.org/). Before August 2025 the harness normalized nothing when annotators were unanimous, so "Dog" was
 * wrong against ten times "dog"; v0.3.4 first normalized the prediction as for TextVQA.
 */
export function vqav2Accuracy(
  prediction: string,
  answers: readonly string[],
  profile: Profile = 'latest',
): VqaScore {
  const text = profile === 'lmms-eval-0.3.4' ? normalizeVqa(prediction) : prediction;
  const asGiven = profile !== 'latest' && new Set(answers).size === 1;
  const normalize = asGiven ? onOneLine : normalizeVqav2;
  const normalized = normalize(text);
  return { value: softAccuracy(normalized, answers.map(normalize)), normalized };
}
