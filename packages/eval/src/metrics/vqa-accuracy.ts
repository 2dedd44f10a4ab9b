// The soft accuracy of VQAv2, TextVQA and VizWiz: an answer is right to the degree that annotators gave it.
// Source: https://visualqa.org/evaluation.html

import { mean } from './mean.js';
import type { Profile } from './profile.js';
import { normalizeVqa, normalizeVqav2, onOneLine } from './vqa-normalize.js';

/** An answer as it was compared, and what it is worth. */
export interface VqaScore {
  /** From 0 to 1. */
  readonly value: number;
  readonly normalized: string;
}

/**
 * The mean over annotators of min(1, matches among the OTHER annotators / 3), of texts that are normalised already.
 * With ten annotators 0, 1, 2, 3 and more matches give 0, 0.3, 0.6, 0.9 and 1. No annotators: 0.
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
 * VQAv2 (https://visualqa.org/). Before August 2025 the harness normalised nothing when the annotators were unanimous, so
 * that "Dog" was wrong against ten times "dog"; v0.3.4 normalised the prediction in TextVQA's way before that.
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
