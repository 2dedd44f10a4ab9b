// MMMU's reading of multiple-choice answers. Where the official code then picks an option at random, nothing is read here,
// and the answer is wrong: scores stay reproducible.
// Sources: https://github.com/MMMU-Benchmark/MMMU (mmmu/utils/eval_utils.py), `mmmu_val` of lmms-eval.

import { strip, stripCharacter, words } from './python-text.js';

const MARKS = ",.!?;:'";
// An option's text is looked for in answers of more words than this.
const SHORT_ANSWER = 5;

/** The letter of the option that the answer means, or `null`. */
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

  // What makes an option a candidate, and where it is found last.
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
