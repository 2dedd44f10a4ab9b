// MMMU: parses options and open answers, and averages by subject and domain.

import { mean } from '../stats/statistics.js';
import { codePoints, parseFloatStrict, roundToCents, strip, stripCharacter, words } from './harness.js';

// Multiple-choice answers. Where the official code picks an option at random, this returns null and the answer counts as wrong,
// so that scores are reproducible.
// Sources: https://github.com/MMMU-Benchmark/MMMU (mmmu/utils/eval_utils.py), `mmmu_val` of lmms-eval.

const MARKS = ",.!?;:'";
// The text of an option is searched for only in answers longer than this many words.
const SHORT_ANSWER = 5;

/** The letter of the option the answer means, or `null`. */
export function mmmuChoice(prediction: string, options: readonly string[]): string | null {
  let bare = strip(prediction);
  for (const mark of MARKS) bare = stripCharacter(bare, mark);
  const text = ` ${bare} `;
  const lower = text.toLowerCase();
  const letters = options.map((option, index) => ({
    letter: String.fromCharCode(65 + index),
    option: option.toLowerCase(),
  }));
  type Option = (typeof letters)[number];

  // Whether an option is a candidate, and the position of its last occurrence.
  const stages: readonly (readonly [(o: Option) => boolean, (o: Option) => number])[] = [
    [(o) => text.includes(`(${o.letter})`), (o) => text.lastIndexOf(`(${o.letter})`)],
    [(o) => text.includes(`${o.letter} `), (o) => text.lastIndexOf(` ${o.letter} `)],
    [(o) => text.includes(`${o.letter}.`), (o) => text.lastIndexOf(` ${o.letter} `)],
    [
      (o) => words(text).length > SHORT_ANSWER && lower.includes(o.option),
      (o) => lower.lastIndexOf(o.option),
    ],
  ];
  for (const [isCandidate, position] of stages) {
    const candidates = letters.filter(isCandidate);
    if (candidates.length === 0) continue;
    return candidates.reduce((best, next) => (position(next) > position(best) ? next : best)).letter;
  }
  return null;
}

// Open answers: the texts after words like "is" and "answer", and the numbers in them. Follows the official code. In the harness
// between v0.3.5 and August 2026 a bug made every open answer wrong
// (https://github.com/EvolvingLMMs-Lab/lmms-eval/issues/1436).
// Sources: https://github.com/MMMU-Benchmark/MMMU (mmmu/utils/eval_utils.py), `mmmu_val` of lmms-eval.

const INDICATORS = ['could be ', 'so ', 'is ', 'thus ', 'therefore ', 'final ', 'answer ', 'result '];
const TRIVIAL = new Set([':', ',', '.', '!', '?', ';', "'"]);
const NO_WORD_BEFORE = '(?<![\\p{L}\\p{N}_])';
const NO_WORD_AFTER = '(?![\\p{L}\\p{N}_])';
const DIGIT = '\\p{Nd}';
// A number starts with the first digit of a run; trying every digit of a long run would be quadratic.
const RUN_START = `(?<!${DIGIT})`;
const NUMBERS: readonly RegExp[] = [
  new RegExp(`-?${NO_WORD_BEFORE}${DIGIT}{1,3}(?:,${DIGIT}{3})+${NO_WORD_AFTER}`, 'gu'),
  new RegExp(`-?${RUN_START}${DIGIT}+(?:\\.${DIGIT}+)?[eE][+-]?${DIGIT}+`, 'gu'),
  new RegExp(
    `-?(?:${RUN_START}${DIGIT}+\\.${DIGIT}+|\\.${DIGIT}+|${RUN_START}${DIGIT}+${NO_WORD_AFTER})(?![eE][+-]?${DIGIT}+)(?![,${DIGIT}])`,
    'gu',
  ),
];

/** A reading of an answer: a number rounded to cents, or lower-case text. */
export type MmmuReading = number | string;

function normalize(text: string): MmmuReading[] {
  const bare = strip(text);
  const number = parseFloatStrict(bare.replaceAll(',', ''));
  if (number !== null) return [roundToCents(number)];
  const lower = bare.toLowerCase();
  // A single character must not match inside a word.
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

/** All distinct readings of an answer. */
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

// Accuracy, overall and per official domain.
// Source: https://mmmu-benchmark.github.io/

/** The six official domains and their thirty subjects. */
export const MMMU_DOMAINS: Readonly<Record<string, readonly string[]>> = {
  'Art and Design': ['Art', 'Art_Theory', 'Design', 'Music'],
  Business: ['Accounting', 'Economics', 'Finance', 'Manage', 'Marketing'],
  Science: ['Biology', 'Chemistry', 'Geography', 'Math', 'Physics'],
  'Health and Medicine': [
    'Basic_Medical_Science',
    'Clinical_Medicine',
    'Diagnostics_and_Laboratory_Medicine',
    'Pharmacy',
    'Public_Health',
  ],
  'Humanities and Social Science': ['History', 'Literature', 'Psychology', 'Sociology'],
  'Tech and Engineering': [
    'Agriculture',
    'Architecture_and_Engineering',
    'Computer_Science',
    'Electronics',
    'Energy_and_Power',
    'Materials',
    'Mechanical_Engineering',
  ],
};

/** One scored answer. */
export interface MmmuAnswer {
  readonly value: number;
  readonly subject: string;
}

/** The subject in an id such as `validation_Art_Theory_12`. */
export function mmmuSubject(id: string): string {
  return id.split('_').slice(1, -1).join('_');
}

function accuracy(answers: readonly MmmuAnswer[]): number {
  return Number(mean(answers.map((answer) => answer.value)).toFixed(5));
}

/** Accuracy, rounded to five decimals. `domains` contains those that occur. */
export function mmmuScores(answers: readonly MmmuAnswer[]): {
  readonly accuracy: number;
  readonly domains: Readonly<Record<string, number>>;
} {
  const domains = Object.entries(MMMU_DOMAINS)
    .map(([name, subjects]) => [name, answers.filter(({ subject }) => subjects.includes(subject))] as const)
    .filter(([, group]) => group.length > 0)
    .map(([name, group]) => [name, accuracy(group)] as const);
  return { accuracy: accuracy(answers), domains: Object.fromEntries(domains) };
}
