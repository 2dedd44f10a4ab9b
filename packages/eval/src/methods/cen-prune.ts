// Cen-Prune: a plug-in for diversity methods that centers tokens and favors uncommon ones.

import type { Backend } from '@mmtok/core';
import { descending, greedyDeterminant, maxMin, minMax } from './greedy.js';
import { centered, cosineMatrix, type Matrix, relevance } from './matrices.js';
import { defineMethod, type Method, type MethodFeatures } from './method.js';

/** There is no official code; this follows the paper's formulas. */
const SOURCE = 'Cen-Prune (2026)';

/** The plug-in's inputs: cosines of the centered tokens, and each token's rarity, from 0 to 1. */
async function centering(
  { vision }: MethodFeatures,
  backend: Backend,
): Promise<{ cosines: Matrix; rarity: Float64Array }> {
  const plain = await cosineMatrix(backend, vision, vision);
  const n = plain.rows;
  const closeness = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) if (j !== i) sum += plain.data[i * n + j]!;
    return -sum / Math.max(1, n - 1);
  });
  const centeredVision = centered(vision);
  return {
    cosines: await cosineMatrix(backend, centeredVision, centeredVision),
    rarity: minMax(closeness),
  };
}

/** DivPrune with centered cosines, distances weighted by rarity. */
export const cenDivprune: Method = defineMethod({
  name: 'cen-divprune',
  title: 'DivPrune + Cen-Prune',
  source: SOURCE,
  async select(features, { tokens: k, backend }) {
    const { cosines, rarity } = await centering(features, backend);
    return maxMin(cosines, k, { weights: rarity });
  },
});

/** CDPruner with centered cosines, relevance multiplied by rarity. */
export const cenCdpruner: Method = defineMethod({
  name: 'cen-cdpruner',
  title: 'CDPruner + Cen-Prune',
  source: SOURCE,
  needs: ['question'],
  async select(features, { tokens: k, backend }) {
    const { cosines, rarity } = await centering(features, backend);
    const { data, rows: n } = cosines;
    const relevant = await relevance(features, backend, -1, 1e-6);
    const r = relevant.map((value, i) => value * rarity[i]!);
    return greedyDeterminant({ size: n, at: (i, j) => r[i]! * data[i * n + j]! * r[j]! }, k, descending(r));
  },
});
