// MMBench: reading the option from an answer by rules, and circular scoring (a question counts only when all rotations of
// its options are answered right). No judge model: an answer that the rules do not resolve goes through `mcqExtract`, the
// harness's own offline way (`mmbench_en_dev_static`).
// Sources: https://github.com/open-compass/MMBench, `mmbench` of lmms-eval.

import { mcqExtract } from './mcq-extract.js';
import { mean, summaryBy } from './mean.js';
import { words } from './python-text.js';

const LETTERS = ['A', 'B', 'C', 'D', 'E'];
const TEXT_LETTERS = ['A', 'B', 'C', 'D'];
const ROTATION = 1_000_000;
// More tokens than this, and an "A" may be an article.
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

/** The options by letter. An option that a question lacks is the TEXT `'nan'` in the dataset, and takes part in matching. */
export type MmbenchOptions = Readonly<Partial<Record<string, string>>>;

/** One row (one rotation) with the option read from its answer. */
export interface MmbenchAnswer {
  /** Rotations of one question are `index`, `index + 1e6`, `index + 2e6`, … */
  readonly index: number;
  readonly correct: boolean;
  readonly category: string;
  readonly l2Category: string;
}

/** `overall` from 0 to 100, the means per category from 0 to 1: as the harness reports them. */
export interface MmbenchScores {
  readonly overall: number;
  readonly category: Readonly<Record<string, number>>;
  readonly l2Category: Readonly<Record<string, number>>;
}

/** The option named by its letter, standing alone as a word or in one wrapper such as `(B)` or `B.`. */
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

/** The one option (A to D) whose text occurs in the answer. */
export function mmbenchOptionText(text: string, options: MmbenchOptions): string | null {
  const lower = text.toLowerCase();
  const found = TEXT_LETTERS.filter((letter) => {
    const option = options[letter];
    return option !== undefined && lower.includes(option.toLowerCase());
  });
  return found.length === 1 ? found[0]! : null;
}

/** The option read by MMBench's own rules; `null` where the official evaluation would ask a judge model. */
export function mmbenchRuleAnswer(text: string, options: MmbenchOptions): string | null {
  return mmbenchOption(text) ?? mmbenchOptionText(text, options);
}

/** The option read by MMBench's rules, else by `mcqExtract`; `null` when nothing was found, which is wrong. */
export function mmbenchAnswer(text: string, options: MmbenchOptions): string | null {
  return mmbenchRuleAnswer(text, options) ?? mcqExtract(text, TEXT_LETTERS);
}

/** The number shared by the rotations of one question. */
export function mmbenchQuestion(index: number): number {
  return index % ROTATION;
}

/** Circular scores over the questions whose first row (`index < 1e6`) is there. */
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
