// The paper's summary over datasets: each score as a percentage of the full-token score, then the plain mean.
// Source: https://arxiv.org/abs/2508.18264 (the "Avg." columns). Not an interval: see statistics.

import { mean } from './mean.js';

/**
 * The mean over datasets of `100 * score / full score`. Not clipped: pruning may help.
 * @param scores by dataset; every dataset of `full` must be there.
 * @param full scores with all vision tokens.
 */
export function meanRetention(
  scores: Readonly<Record<string, number>>,
  full: Readonly<Record<string, number>>,
): number {
  return mean(Object.entries(full).map(([dataset, all]) => (100 * (scores[dataset] ?? Number.NaN)) / all));
}
