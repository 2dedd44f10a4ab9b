// Facility location and SCOPE: every token should resemble a kept token.

import { argMax } from './greedy.js';
import { cosineMatrix, type Matrix } from './matrices.js';
import { defineMethod, type Method } from './method.js';

/** Greedy facility location over cosines of the features before the projector, as in FLoC within one block. */
export const facilityLocation: Method = defineMethod({
  name: 'facility-location',
  title: 'Facility location',
  source: 'https://arxiv.org/abs/2511.00141',
  select: async ({ visionFeatures }, { tokens, backend }) =>
    greedyCover(await cosineMatrix(backend, visionFeatures, visionFeatures), tokens),
});

// SCOPE: facility location whose gains are weighted by saliency.

/** NeurIPS 2025, with the official exponent 1 on the saliency. */
export const scope: Method = defineMethod({
  name: 'scope',
  title: 'SCOPE',
  source: 'https://github.com/kinredon/SCOPE',
  needs: ['saliency'],
  select: async ({ visionFeatures, saliency }, { tokens, backend }) =>
    greedyCover(await cosineMatrix(backend, visionFeatures, visionFeatures), tokens, saliency),
});

// Greedy facility location, which facility location and SCOPE share.

/**
 * Picks k candidates (columns) greedily, maximizing Σ over targets (rows) of the highest similarity to a pick; gains are multiplied
 * by weights. Negative similarities count as 0.
 */
function greedyCover({ data, rows, columns }: Matrix, k: number, weights?: ArrayLike<number>): number[] {
  const best = new Float64Array(rows);
  const picks: number[] = [];
  const isPicked = new Uint8Array(columns);
  const gains = new Float64Array(columns);
  while (picks.length < k) {
    gains.fill(0);
    for (let i = 0; i < rows; i++) {
      const reached = best[i]!;
      for (let j = 0; j < columns; j++) {
        const more = data[i * columns + j]! - reached;
        if (more > 0) gains[j]! += more;
      }
    }
    if (weights !== undefined) for (let j = 0; j < columns; j++) gains[j]! *= weights[j]!;
    const token = argMax(gains, (j) => isPicked[j] === 0);
    isPicked[token] = 1;
    picks.push(token);
    for (let i = 0; i < rows; i++) best[i] = Math.max(best[i]!, data[i * columns + token]!);
  }
  return picks;
}
