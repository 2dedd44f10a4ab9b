// OCRBench: a point when any gold answer occurs in the prediction.
// Sources: https://github.com/Yuliang-Liu/MultimodalOCR, `ocrbench` of lmms-eval.

import type { Profile } from './profile.js';
import { strip } from './python-text.js';

/** The handwritten formulas: compared without spaces, in their own case. */
const FORMULAS = 'HME100k';

function halfWidth(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll('\u3000', ' ');
}

const formula = (text: string): string => strip(text).replaceAll('\n', ' ').replaceAll(' ', '');
const plain = (text: string): string => strip(text.toLowerCase()).replaceAll('\n', ' ');

/**
 * Whether one of `answers` is part of the prediction. `dataset` is the row's own field. Up to July 2026 (v0.3.4, v0.4)
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
