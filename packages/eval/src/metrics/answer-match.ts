// Comparing answers to your own questions: same text, same number, or containment. Characters that carry meaning stay: 3.5 is not
// 35, −5 is not 5, 5 % is not 5, 1/2 is not 12. The benchmarks have their own comparisons.

import { strip, words } from './harness.js';

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

/** Lower case, normalized Unicode, one kind of minus, single spaces, no ignored characters; unchanged if nothing would be left. */
function cleaned(text: string): string {
  const plain = words(text.normalize('NFC').toLowerCase().replace(MINUS, '-')).join(' ');
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
