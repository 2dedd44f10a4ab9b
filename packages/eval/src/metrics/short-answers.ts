// Metrics for short free answers: ANLS (DocVQA), exact match (GQA), relaxed accuracy (ChartQA), OCRBench, and answers to your own
// questions.

import { codePoints, type Profile, parseFloatStrict, strip, stripEnd, words } from './harness.js';

// ANLS, the average normalized Levenshtein similarity of DocVQA: typos cost a little, wrong answers everything.
// Sources: https://arxiv.org/abs/1907.00490 (section 3.2), `anls` of lmms-eval.

const THRESHOLD = 0.5;

/** Two texts of 10,000 characters: a moment of work. */
const MOST_PAIRS = 1e8;

/** The edit distance; of longer texts, an upper bound that counts everything between their common ends as replaced. */
function levenshtein(whole: readonly string[], other: readonly string[]): number {
  const [a, b] = withoutCommonEnds(whole, other);
  if (a.length * b.length > MOST_PAIRS) return Math.max(a.length, b.length);
  let previous = Uint32Array.from({ length: b.length + 1 }, (_, index) => index);
  let current = new Uint32Array(b.length + 1);
  for (const [row, character] of a.entries()) {
    current[0] = row + 1;
    for (let column = 0; column < b.length; column++) {
      const replaced = previous[column]! + (character === b[column] ? 0 : 1);
      current[column + 1] = Math.min(replaced, previous[column + 1]! + 1, current[column]! + 1);
    }
    [previous, current] = [current, previous];
  }
  return previous[b.length]!;
}

/** Both lists without their common prefix and suffix, which have no cost. */
function withoutCommonEnds(
  a: readonly string[],
  b: readonly string[],
): [readonly string[], readonly string[]] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

const normalize = (text: string): readonly string[] => codePoints(words(strip(text).toLowerCase()).join(' '));
// The harness measures the upper-case text, in which "ß" is two letters.
const length = (text: string): number => codePoints(text.toUpperCase()).length;

function distance(prediction: string, answer: string): number {
  const longest = Math.max(length(prediction), length(answer));
  if (longest === 0) return 0;
  const [text, gold] = [normalize(prediction), normalize(answer)];
  // The distance is at least the difference in length, so some texts need no comparison.
  if (Math.abs(text.length - gold.length) > THRESHOLD * longest) return 1;
  return levenshtein(text, gold) / longest;
}

/**
 * From 0 to 1: similarity to the nearest gold answer; 0 if below one half or without gold answers. Beyond 10,000 characters that
 * differ on both sides, a lower bound, so that the time stays bounded.
 */
export function anls(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) return 0;
  const similarity = 1 - Math.min(...answers.map((answer) => distance(prediction, answer)));
  return similarity < THRESHOLD ? 0 : similarity;
}

// Exact match after lower-casing and removing ASCII punctuation, as in GQA. Articles, numbers and spaces stay.
// Sources: https://cs.stanford.edu/people/dorarad/gqa/evaluate.html, `exact_match` of lmms-eval.

const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/g;

function bare(text: string): string {
  return text.toLowerCase().replace(ASCII_PUNCTUATION, '');
}

/** Whether the texts are equal up to case and ASCII punctuation. */
export function exactMatch(prediction: string, answer: string): boolean {
  return bare(prediction) === bare(answer);
}

// ChartQA's relaxed accuracy: numbers may be off by five percent; other text must be equal up to case.
// Sources: https://aclanthology.org/2022.findings-acl.177/ (section 5), `chartqa` of lmms-eval.

const TOLERANCE = 0.05;

// "5%" is 0.05, so "5" is wrong.
function toNumber(text: string): number | null {
  if (!text.endsWith('%')) return parseFloatStrict(text);
  const number = parseFloatStrict(stripEnd(text, '%'));
  return number === null ? null : number / 100;
}

/** Whether the prediction is within five percent of a nonzero number, or otherwise the same text up to case. */
export function relaxedMatch(prediction: string, answer: string): boolean {
  const predicted = toNumber(prediction);
  const target = toNumber(answer);
  if (predicted === null || target === null || target === 0)
    return prediction.toLowerCase() === answer.toLowerCase();
  return Math.abs(predicted - target) / Math.abs(target) <= TOLERANCE;
}

// OCRBench: one point if any gold answer occurs in the prediction.
// Sources: https://github.com/Yuliang-Liu/MultimodalOCR, `ocrbench` of lmms-eval.

/** Handwritten formulas are compared without spaces and with case. */
const FORMULAS = 'HME100k';

function halfWidth(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll('\u3000', ' ');
}

const formula = (text: string): string => strip(text).replaceAll('\n', ' ').replaceAll(' ', '');
const plain = (text: string): string => strip(text.toLowerCase()).replaceAll('\n', ' ');

/**
 * Whether one of `answers` occurs in the prediction. `dataset` is the row's field of that name. Up to July 2026 (v0.3.4, v0.4)
 * full-width characters were not folded, and predictions were lower-cased for formulas too.
 */
export function ocrBenchMatch(
  prediction: string,
  answers: readonly string[],
  dataset: string,
  profile: Profile = 'latest',
): boolean {
  const old = profile !== 'latest';
  if (dataset === FORMULAS) {
    const text = formula(old ? prediction.toLowerCase() : prediction);
    return answers.some((answer) => text.includes(formula(answer)));
  }
  const fold = (text: string): string => plain(old ? text : halfWidth(text));
  return answers.some((answer) => fold(prediction).includes(fold(answer)));
}

// Comparing answers to your own questions: same text, same number, or containment. Characters that carry meaning stay: 3.5 is not
// 35, −5 is not 5, 5 % is not 5, 1/2 is not 12. Variants of a character are equal: ５ is 5, and ﬁ is fi. The metrics of the
// benchmarks, above, compare texts as their official code does.

/** Ignored: quotes, brackets and exclamation marks; periods, commas and colons unless a digit follows. */
const SILENT = /[!"'?()[\]{}`“”„‘’]|[.,:;](?!\p{Nd})|(?<=\p{L})[-_](?=\p{L})/gu;
const MINUS = /[\u2212\u2010\u2011\ufe63\uff0d]/g;
const DIGITS = '(?:\\d{1,3}(?:,\\d{3})+(?!\\d)(?:\\.\\d+)?|\\d+(?:\\.\\d+)?|\\.\\d+)';
const NUMBER = new RegExp(`^([+-]?${DIGITS}(?:e[+-]?\\d+)?)\\s?(?:(%)|/\\s?(\\d+))?$`, 'i');
// Not inside a word or number.
const NUMBERS_IN_TEXT = new RegExp(
  `(?<![\\p{L}\\d.,])[+-]?${DIGITS}(?:e[+-]?\\d+)?(?:\\s?%|\\s?/\\s?\\d+)?`,
  'giu',
);
/** Scripts that put no spaces between words, or attach particles to them. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]/u;
const WORD = /[\p{L}\p{N}]/u;

/** A number as written: `5`, `5%` and `5/2` are different kinds. */
interface WrittenNumber {
  readonly value: number;
  readonly kind: 'plain' | 'percent' | 'fraction';
}

/** Superscripts, subscripts, and fractions: 10² is not 102, and 1½ is not 11/2. */
const OTHER_CHARACTERS = /[^\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u215f\u2189]+/g;

/** The text with variants of characters replaced by the usual ones (Unicode NFKC), such as full-width digits and ligatures. */
export function usualCharacters(text: string): string {
  return text.replace(OTHER_CHARACTERS, (part) => part.normalize('NFKC'));
}

/** Lower case, usual characters, one kind of minus, single spaces, no ignored characters; unchanged if nothing would be left. */
function cleaned(text: string): string {
  const plain = words(usualCharacters(text).toLowerCase().replace(MINUS, '-')).join(' ');
  return strip(plain.replace(SILENT, '')) || plain;
}

/** The number a text denotes; null for any other text. */
function numberOf(text: string): WrittenNumber | null {
  const match = NUMBER.exec(text);
  if (match === null) return null;
  const value = Number((match[1] ?? '').replaceAll(',', ''));
  if (match[2] !== undefined) return { value: value / 100, kind: 'percent' };
  if (match[3] !== undefined) return { value: value / Number(match[3]), kind: 'fraction' };
  return { value, kind: 'plain' };
}

/**
 * Whether a prediction equals a gold answer: literally, as the same number of the same kind (`1,000` and `1000`, `3.50` and
 * `3.5`), or up to case, spaces and ignored characters. Empty text never matches.
 */
export function sameAnswer(prediction: string, gold: string): boolean {
  if (strip(prediction) === strip(gold)) return strip(gold) !== '';
  const [text, wanted] = [cleaned(prediction), cleaned(gold)];
  if (wanted === '' || text === '') return false;
  const number = numberOf(wanted);
  if (number === null) return text === wanted;
  const given = numberOf(text);
  return given !== null && given.kind === number.kind && given.value === number.value;
}

/**
 * Whether a prediction has the value of a gold number in any notation: `50%`, `0.5` and `1/2` are equal. In a sentence it must
 * be the only number. False if the gold answer is not a number.
 */
export function sameNumber(prediction: string, gold: string): boolean {
  const wanted = numberOf(cleaned(gold));
  if (wanted === null || !Number.isFinite(wanted.value)) return false;
  const text = cleaned(prediction);
  const whole = numberOf(text);
  const found = whole === null ? (text.match(NUMBERS_IN_TEXT) ?? []).map(numberOf) : [whole];
  const values = new Set(found.map((number) => number?.value));
  const [value] = values;
  if (values.size !== 1 || value === undefined) return false;
  return Math.abs(value - wanted.value) <= 1e-9 * Math.max(1, Math.abs(wanted.value));
}

/** Whether a gold answer occurs in a prediction as whole words: `no` is not in `not`, nor `5` in `3.5`, `15` or `-5`. */
export function containsAnswer(prediction: string, gold: string): boolean {
  const [text, wanted] = [cleaned(prediction), cleaned(gold)];
  if (wanted === '') return false;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if (isBoundary(text, at, -1, wanted[0]!) && isBoundary(text, end - 1, 1, wanted.at(-1)!)) return true;
  }
  return false;
}

/** Whether a match starts (or ends) at `at`, rather than continuing a longer word or number. */
function isBoundary(text: string, at: number, step: -1 | 1, edge: string): boolean {
  const next = text[at + step];
  if (next === undefined || UNSPACED.test(edge) || !WORD.test(edge)) return true;
  if (WORD.test(next)) return UNSPACED.test(next);
  if (!/\d/.test(edge)) return true;
  const beyond = text[at + 2 * step];
  const isDigitBeyond = beyond !== undefined && /\d/.test(beyond);
  if (step < 0 && /[-+]/.test(next)) return isDigitBeyond;
  return next !== '%' && !(/[.,/:]/.test(next) && (isDigitBeyond || (step < 0 && next === '.')));
}
