// ChartQA's relaxed accuracy: numbers may be off by five percent, everything else must be equal but for case.
// Sources: https://aclanthology.org/2022.findings-acl.177/ (section 5), `chartqa` of lmms-eval.

import { parseFloatStrict, stripEnd } from './python-text.js';

const TOLERANCE = 0.05;

// "5%" is 0.05, so "5" is not a right answer to it.
function toNumber(text: string): number | null {
  if (!text.endsWith('%')) return parseFloatStrict(text);
  const number = parseFloatStrict(stripEnd(text, '%'));
  return number === null ? null : number / 100;
}

/** Whether the prediction is within five percent of a number that is not zero, or else the same text but for case. */
export function relaxedMatch(prediction: string, answer: string): boolean {
  const predicted = toNumber(prediction);
  const target = toNumber(answer);
  if (predicted === null || target === null || target === 0)
    return prediction.toLowerCase() === answer.toLowerCase();
  return Math.abs(predicted - target) / Math.abs(target) <= TOLERANCE;
}
