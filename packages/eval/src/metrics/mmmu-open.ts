// MMMU's reading and scoring of open answers: the texts after words like "is" and "answer", and the numbers in them.
// Follows the official code, not the harness between v0.3.5 and August 2026, where a defect made every open answer wrong
// (https://github.com/EvolvingLMMs-Lab/lmms-eval/issues/1436).
// Sources: https://github.com/MMMU-Benchmark/MMMU (mmmu/utils/eval_utils.py), `mmmu_val` of lmms-eval.

import { codePoints, parseFloatStrict, roundToCents, strip, stripCharacter } from './python-text.js';

const INDICATORS = ['could be ', 'so ', 'is ', 'thus ', 'therefore ', 'final ', 'answer ', 'result '];
const TRIVIAL = new Set([':', ',', '.', '!', '?', ';', "'"]);
const NO_WORD_BEFORE = '(?<![\\p{L}\\p{N}_])';
const NO_WORD_AFTER = '(?![\\p{L}\\p{N}_])';
const DIGIT = '\\p{Nd}';
// A number begins with the first digit of a run. Without this, each digit of a long run would be tried as a beginning.
const RUN_START = `(?<!${DIGIT})`;
const NUMBERS: readonly RegExp[] = [
  new RegExp(`-?${NO_WORD_BEFORE}${DIGIT}{1,3}(?:,${DIGIT}{3})+${NO_WORD_AFTER}`, 'gu'),
  new RegExp(`-?${RUN_START}${DIGIT}+(?:\\.${DIGIT}+)?[eE][+-]?${DIGIT}+`, 'gu'),
  new RegExp(
    `-?(?:${RUN_START}${DIGIT}+\\.${DIGIT}+|\\.${DIGIT}+|${RUN_START}${DIGIT}+${NO_WORD_AFTER})(?![eE][+-]?${DIGIT}+)(?![,${DIGIT}])`,
    'gu',
  ),
];

/** A reading of an answer: a number rounded to cents, or a lower-case text. */
export type MmmuReading = number | string;

function normalize(text: string): MmmuReading[] {
  const bare = strip(text);
  const number = parseFloatStrict(bare.replaceAll(',', ''));
  if (number !== null) return [roundToCents(number)];
  const lower = bare.toLowerCase();
  // A single character must not match inside words.
  return codePoints(lower).length === 1 ? [` ${lower}`, `${lower} `] : [lower];
}

function keyText(part: string, indicators: readonly string[]): string {
  let shortest = '';
  for (const indicator of indicators) {
    const at = part.lastIndexOf(indicator);
    if (at < 0) continue;
    const after = strip(part.slice(at + indicator.length));
    if (shortest === '' || codePoints(after).length < codePoints(shortest).length) shortest = after;
  }
  return shortest;
}

/** All readings of an answer, without repetition. */
export function mmmuOpenReadings(prediction: string): MmmuReading[] {
  const response = stripCharacter(strip(prediction), '.').toLowerCase();
  const parts = response.split('\n');
  const keys = parts
    .map((part, index) => keyText(part, index === parts.length - 1 ? [...INDICATORS, '='] : INDICATORS))
    .filter((key) => key !== '' && !TRIVIAL.has(key));
  const texts = keys.length === 0 ? [response] : keys;
  const numbers = texts.flatMap((text) => NUMBERS.flatMap((pattern) => text.match(pattern) ?? []));
  return [...new Set([...texts, ...numbers].flatMap(normalize))];
}

/** Whether a reading contains a gold text or equals a gold number. */
export function mmmuOpenMatch(prediction: string, answer: string | readonly string[]): boolean {
  const gold = (typeof answer === 'string' ? [answer] : answer).flatMap(normalize);
  return mmmuOpenReadings(prediction).some((reading) =>
    typeof reading === 'number'
      ? gold.includes(reading)
      : gold.some((wanted) => typeof wanted === 'string' && reading.includes(wanted)),
  );
}
