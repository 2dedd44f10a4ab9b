// Metrics for multiple-choice questions: MMBench, MMStar, ScienceQA, SEED-Bench.

import { groupBy, mean, summaryBy } from '../stats/statistics.js';
import { codePoints, type Profile, strip, stripCharacter, words } from './harness.js';

// Finds the option letter that a free-form answer means. Used for MMStar, and for MMBench where its own rules find nothing.
// Lower-case letters never count.
// Source: `mcq_extract` of lmms-eval (lmms_eval/tasks/_task_utils/mcq_extract.py).

const PHRASES = [
  ...[
    'answer',
    'correct answer',
    'best answer',
    'correct option',
    'best option',
    'choice',
    'correct choice',
  ].map((noun) => `${noun} is`),
  ...['i choose', 'i select', 'i pick', 'my answer is', 'my choice is'],
  ...['옵션', '정답은', '답은', '답:', '答案是', '答案为', '选', '答えは'],
];

interface Candidate {
  readonly letter: string;
  readonly rank: number;
  readonly position: number;
}

const LETTER = /\p{L}/u;
const isLetter = (character: string | undefined): boolean =>
  character !== undefined && LETTER.test(character);

function shaped(text: string, letter: string): Candidate[] {
  const shapes = [`(${letter})`, `${letter}.`, `${letter}:`, `${letter})`, `${letter} `];
  return shapes.map((shape, index) => ({ letter, rank: 6 - index, position: text.lastIndexOf(shape) }));
}

function afterPhrases(text: string, letters: readonly string[]): Candidate[] {
  const lower = text.toLowerCase();
  const starts = PHRASES.map((phrase) => [lower.indexOf(phrase), phrase.length] as const);
  return starts
    .filter(([at]) => at >= 0)
    .flatMap(([at, length]) =>
      letters.map((letter) => ({ letter, rank: 7, position: text.indexOf(letter, at + length) })),
    );
}

function atEnds(bare: string, letter: string): Candidate[] {
  const found: Candidate[] = [];
  if (bare.startsWith(letter) && !isLetter(bare[letter.length]))
    found.push({ letter, rank: 10, position: 0 });
  if (bare.endsWith(letter) && !isLetter(bare.at(-letter.length - 1)))
    found.push({ letter, rank: 9, position: bare.length });
  return found;
}

function anywhere(text: string, letters: readonly string[]): Candidate[] {
  return letters.map((letter) => ({ letter, rank: 0, position: text.lastIndexOf(letter) }));
}

/** The letter among `letters` that the text means, or `null`. */
export function mcqExtract(text: string, letters: readonly string[]): string | null {
  let bare = strip(text);
  for (const mark of ',.!?;:\'"') bare = stripCharacter(bare, mark);
  const padded = ` ${bare} `;
  const isFound = (candidate: Candidate): boolean => candidate.position >= 0;
  let found = [
    ...letters.flatMap((letter) => shaped(padded, letter)),
    ...afterPhrases(padded, letters),
    ...letters.flatMap((letter) => atEnds(bare, letter)),
  ].filter(isFound);
  if (found.length === 0) found = anywhere(padded, letters).filter(isFound);
  const best = found.sort((a, b) => b.rank - a.rank || b.position - a.position)[0];
  return best?.letter ?? null;
}

// MMBench: parses the option by rules, and scores circularly: a question counts only if all rotations of its options are answered
// correctly. No judge model: answers that the rules do not resolve go through `mcqExtract`, like the harness's offline variant
// `mmbench_en_dev_static`.
// Sources: https://github.com/open-compass/MMBench, `mmbench` of lmms-eval.

const LETTERS = ['A', 'B', 'C', 'D', 'E'];
const TEXT_LETTERS = ['A', 'B', 'C', 'D'];
const ROTATION = 1_000_000;
// In longer answers "A" may be an article.
const SHORT_ANSWER = 3;
const WRAPPERS: readonly ((letter: string) => string)[] = [
  (x) => `${x}.`,
  (x) => `${x},`,
  (x) => `${x}:`,
  (x) => `${x})`,
  (x) => `${x}).`,
  (x) => `(${x})`,
  (x) => `(${x}).`,
  (x) => `:${x}`,
  (x) => `:${x},`,
  (x) => `:${x}.`,
  (x) => `:${x})`,
  (x) => `:${x}).`,
];

/** The options by letter. The dataset stores a missing option as the TEXT `'nan'`, which takes part in matching. */
export type MmbenchOptions = Readonly<Partial<Record<string, string>>>;

/** One row (one rotation) and whether its answer is correct. */
export interface MmbenchAnswer {
  /** Rotations of one question are `index`, `index + 1e6`, `index + 2e6`, … */
  readonly index: number;
  readonly correct: boolean;
  readonly category: string;
  readonly l2Category: string;
}

/** `overall` from 0 to 100, the means per category from 0 to 1, as the harness reports them. */
export interface MmbenchScores {
  readonly overall: number;
  readonly category: Readonly<Record<string, number>>;
  readonly l2Category: Readonly<Record<string, number>>;
}

/** The option named by its letter, as a separate word or in a wrapper such as `(B)` or `B.`. */
export function mmbenchOption(text: string): string | null {
  if (text.includes('Failed to obtain answer via API')) return null;
  const tokens = words(text);
  const present = new Set(tokens);
  const only = (wrap: (letter: string) => string): string | null => {
    const found = LETTERS.filter((letter) => present.has(wrap(letter)));
    return found.length === 1 ? found[0]! : null;
  };
  const bare = only((letter) => letter);
  const maybeArticle = present.has('A') && tokens.length > SHORT_ANSWER;
  if (bare !== null && !maybeArticle) return bare;
  for (const wrap of WRAPPERS) {
    const wrapped = only(wrap);
    if (wrapped !== null) return wrapped;
  }
  return null;
}

/** The only option (A to D) whose text occurs in the answer. */
export function mmbenchOptionText(text: string, options: MmbenchOptions): string | null {
  const lower = text.toLowerCase();
  const found = TEXT_LETTERS.filter((letter) => {
    const option = options[letter];
    return option !== undefined && lower.includes(option.toLowerCase());
  });
  return found.length === 1 ? found[0]! : null;
}

/** The option according to MMBench's own rules; `null` if the official evaluation would ask a judge model. */
export function mmbenchRuleAnswer(text: string, options: MmbenchOptions): string | null {
  return mmbenchOption(text) ?? mmbenchOptionText(text, options);
}

/** The option according to MMBench's rules, or else `mcqExtract`; `null`, which is wrong, if neither finds one. */
export function mmbenchAnswer(text: string, options: MmbenchOptions): string | null {
  return mmbenchRuleAnswer(text, options) ?? mcqExtract(text, TEXT_LETTERS);
}

/** The number shared by the rotations of one question. */
export function mmbenchQuestion(index: number): number {
  return index % ROTATION;
}

/** Circular scores over the questions whose first row (`index < 1e6`) is present. */
export function mmbenchScores(answers: readonly MmbenchAnswer[]): MmbenchScores {
  const wrong = new Set(
    answers.filter((answer) => !answer.correct).map((answer) => mmbenchQuestion(answer.index)),
  );
  const questions = answers
    .filter((answer) => answer.index < ROTATION)
    .sort((a, b) => a.index - b.index)
    .map((answer) => ({ ...answer, hit: wrong.has(answer.index) ? 0 : 1 }));
  const hits = (group: readonly (typeof questions)[number][]): number =>
    mean(group.map((question) => question.hit));
  return {
    overall: 100 * hits(questions),
    category: summaryBy(questions, (question) => question.category, hits),
    l2Category: summaryBy(questions, (question) => question.l2Category, hits),
  };
}

// MMStar: option matching, and the mean over its eighteen fine categories rather than over questions.
// Sources: https://mmstar-benchmark.github.io/, `mmstar` of lmms-eval.

/** One scored answer. */
export interface MmstarAnswer {
  readonly value: number;
  readonly category: string;
  readonly l2Category: string;
}

/** All from 0 to 1. */
export interface MmstarScores {
  readonly average: number;
  readonly category: Readonly<Record<string, number>>;
}

function matchesStart(prediction: string, letter: string): boolean {
  const text = strip(prediction.toLowerCase().replaceAll('\n', ' '));
  const small = letter.toLowerCase();
  return ['', '(', 'option ', 'the answer is '].some((lead) => text.startsWith(lead + small));
}

/**
 * Whether the prediction names the letter. Up to April 2026 (v0.3.4, v0.4) the harness looked only at the first character, in
 * either case, so "dog" counted as D.
 */
export function mmstarMatch(prediction: string, letter: string, profile: Profile = 'latest'): boolean {
  if (profile !== 'latest') return matchesStart(prediction, letter);
  return mcqExtract(prediction, ['A', 'B', 'C', 'D']) === letter;
}

function macro(answers: readonly MmstarAnswer[]): number {
  const groups = [...groupBy(answers, (answer) => answer.l2Category).values()];
  return mean(groups.map((group) => mean(group.map((answer) => answer.value))));
}

/** The mean over fine categories, for all answers and per coarse category. */
export function mmstarScores(answers: readonly MmstarAnswer[]): MmstarScores {
  return { average: macro(answers), category: summaryBy(answers, (answer) => answer.category, macro) };
}

// ScienceQA's option matching: the bare letter, or a leading capital letter with a period.
// Sources: https://scienceqa.github.io/, `scienceqa_img` of lmms-eval.

/**
 * Whether the prediction names `letter` ("A", "B", …). Up to July 2025 (v0.3.4) the harness lower-cased first, so "B. banana"
 * was wrong.
 */
export function scienceQaMatch(prediction: string, letter: string, profile: Profile = 'latest'): boolean {
  if (prediction.toLowerCase() === letter.toLowerCase()) return true;
  return profile !== 'lmms-eval-0.3.4' && /^\p{Lu}\./u.test(prediction) && prediction.startsWith(letter);
}

// SEED-Bench's option matching: the first character, whatever follows ("cat" is C).
// Sources: https://github.com/AILab-CVC/SEED-Bench, `seedbench` of lmms-eval.

/** The first character of the prediction, `''` if it is empty. */
export function seedBenchAnswer(text: string): string {
  return codePoints(strip(text))[0] ?? '';
}

/** Whether the prediction starts with the option's letter, in either case. */
export function seedBenchMatch(prediction: string, letter: string): boolean {
  return seedBenchAnswer(prediction).toUpperCase() === letter.toUpperCase();
}
