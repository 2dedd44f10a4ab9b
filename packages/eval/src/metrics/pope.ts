// POPE's yes/no metrics: precision, recall and F1 of "yes", and accuracy.
// Sources: https://github.com/AoiDragon/POPE, `pope` of lmms-eval. The MMTok paper reports F1.

import { strip } from './python-text.js';

/** A prediction as {@link popeAnswer} reads it, and the gold answer. */
export interface PopePair {
  readonly predicted: string;
  readonly answer: string;
}

/** All from 0 to 1; a ratio without a denominator is 0. */
export interface PopeMetrics {
  readonly f1: number;
  readonly accuracy: number;
  readonly precision: number;
  readonly recall: number;
  /** The share of "yes" among the GOLD answers, as the harness reports it. */
  readonly yesRatio: number;
}

/** The prediction as it is compared: lower case, stripped. "Yes." and "Yes, there is" stay what they are, and are wrong. */
export function popeAnswer(text: string): string {
  return strip(text.toLowerCase());
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Pools all pairs. Predictions that are neither "yes" nor "no" count against accuracy only. */
export function popeMetrics(pairs: readonly PopePair[]): PopeMetrics {
  const count = (predicted: string, answer: string): number =>
    pairs.filter((pair) => pair.predicted === predicted && pair.answer.toLowerCase() === answer).length;
  const truePositives = count('yes', 'yes');
  const precision = ratio(truePositives, truePositives + count('yes', 'no'));
  const recall = ratio(truePositives, truePositives + count('no', 'yes'));
  return {
    f1: ratio(2 * precision * recall, precision + recall),
    accuracy: ratio(
      pairs.filter((pair) => pair.predicted === pair.answer.toLowerCase()).length,
      pairs.length,
    ),
    precision,
    recall,
    yesRatio: ratio(pairs.filter((pair) => pair.answer.toLowerCase() === 'yes').length, pairs.length),
  };
}
