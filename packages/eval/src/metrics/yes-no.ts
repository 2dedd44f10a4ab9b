// Metrics for yes-or-no questions: POPE and MME.

import { groupBy, mean } from '../stats/statistics.js';
import { codePoints, strip } from './harness.js';

// POPE's yes/no metrics: precision, recall and F1 of "yes", and accuracy.
// Sources: https://github.com/AoiDragon/POPE, `pope` of lmms-eval. The MMTok paper reports F1.

/** A prediction as {@link popeAnswer} parses it, and the gold answer. */
export interface PopePair {
  readonly predicted: string;
  readonly answer: string;
}

/** All from 0 to 1; a ratio with denominator 0 is 0. */
export interface PopeMetrics {
  readonly f1: number;
  readonly accuracy: number;
  readonly precision: number;
  readonly recall: number;
  /** The share of "yes" among the GOLD answers, as the harness reports it. */
  readonly yesRatio: number;
}

/** The prediction as compared: lower case, stripped. "Yes." and "Yes, there is" are not "yes" and count as wrong. */
export function popeAnswer(text: string): string {
  return strip(text.toLowerCase());
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Pools all pairs. Predictions that are neither "yes" nor "no" count only against accuracy. */
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

// MME: two yes/no questions per image, up to 200 points per category, summed.
// Sources: https://github.com/BradyFU/Awesome-Multimodal-Large-Language-Models/tree/Evaluation, `mme` of lmms-eval.

/** The ten perception categories, at most 2000 points. */
export const MME_PERCEPTION = [
  'existence',
  'count',
  'position',
  'color',
  'posters',
  'celebrity',
  'scene',
  'landmark',
  'artwork',
  'OCR',
] as const;

/** The four cognition categories, at most 800 points. */
export const MME_COGNITION = [
  'commonsense_reasoning',
  'numerical_calculation',
  'text_translation',
  'code_reasoning',
] as const;

/** One scored question. The two questions of an image share `group` (the `question_id`). */
export interface MmeAnswer {
  readonly group: string;
  readonly category: string;
  readonly correct: boolean;
}

/** Sums of points. `categories` contains those that occur. */
export interface MmeScores {
  readonly total: number;
  readonly perception: number;
  readonly cognition: number;
  readonly categories: Readonly<Record<string, number>>;
}

/** Parses yes or no from the first four characters, so "know" is no and "The answer is yes" is neither. */
export function mmeAnswer(text: string): 'yes' | 'no' | 'other' {
  const bare = strip(text.toLowerCase()).replaceAll('.', '');
  if (bare === 'y') return 'yes';
  if (bare === 'n') return 'no';
  const start = codePoints(bare).slice(0, 4).join('');
  if (start.includes('yes')) return 'yes';
  return start.includes('no') ? 'no' : 'other';
}

/**
 * 50 points per right answer and another 100 if both of an image are right; the mean over images per category; then sums. Images
 * with only one answer (an interrupted run) are skipped.
 */
export function mmeScores(answers: readonly MmeAnswer[]): MmeScores {
  const images = groupBy(answers, (answer) => JSON.stringify([answer.category, answer.group]));
  const points = new Map<string, number[]>();
  for (const pair of images.values()) {
    if (pair.length !== 2) continue;
    const right = pair.filter((answer) => answer.correct).length;
    const category = pair[0]!.category;
    points.set(category, [...(points.get(category) ?? []), 50 * right + (right === 2 ? 100 : 0)]);
  }
  const sum = (names: readonly string[]): number =>
    names.reduce((total, name) => total + mean(points.get(name) ?? []), 0);
  const perception = sum(MME_PERCEPTION);
  const cognition = sum(MME_COGNITION);
  const categories = Object.fromEntries([...points].map(([name, values]) => [name, mean(values)]));
  return { total: perception + cognition, perception, cognition, categories };
}
