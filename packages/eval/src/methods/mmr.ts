// Maximal marginal relevance: important tokens that are dissimilar to earlier picks. IDPruner does this with a trained importance;
// here the importance needs no training.

import { gatherRows } from '@mmtok/core/internal';
import { argMax } from './greedy.js';
import { cosineMatrix, type Matrix, minMax, relevance } from './matrices.js';
import {
  defineMethod,
  type GivenFeatures,
  type GivenRequest,
  type Method,
  type MethodNeed,
} from './method.js';

/** Weight of importance against similarity to the picks. */
const BALANCE = 0.5;

/** By the norm of the token. */
export const mmrNorm: Method = mmr('norm', [], async ({ vision }) => {
  const [n, d] = vision.dims as readonly [number, number];
  return Float64Array.from({ length: n }, (_, i) => Math.hypot(...gatherRows(vision.data, d, [i])));
});

/** By the token's mean cosine to the question's tokens. */
export const mmrRelevance: Method = mmr('relevance', ['question'], (features, { backend }) =>
  relevance(features, backend, 1),
);

/** By the encoder's saliency. */
export const mmrSaliency: Method = mmr('saliency', ['saliency'], async ({ saliency = [] }) =>
  Float64Array.from(saliency),
);

function mmr(
  importance: string,
  needs: readonly MethodNeed[],
  importanceOf: (features: GivenFeatures, request: GivenRequest) => Promise<Float64Array>,
): Method {
  return defineMethod({
    name: `mmr-${importance}`,
    title: `MMR (${importance})`,
    source: 'https://github.com/Tencent/AngelSlim (IDPruner, the selection)',
    needs,
    async select(features, request) {
      const cosines = await cosineMatrix(request.backend, features.vision, features.vision);
      return marginal(minMax(await importanceOf(features, request)), cosines, request.tokens);
    },
  });
}

function marginal(importance: Float64Array, { data, rows: n }: Matrix, k: number): number[] {
  const picks: number[] = [];
  const isPicked = new Uint8Array(n);
  const likeness = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  while (picks.length < k) {
    const scores =
      picks.length === 0
        ? importance
        : importance.map((value, j) => BALANCE * value - (1 - BALANCE) * likeness[j]!);
    const token = argMax(scores, (j) => isPicked[j] === 0);
    picks.push(token);
    isPicked[token] = 1;
    for (let j = 0; j < n; j++) likeness[j] = Math.max(likeness[j]!, data[token * n + j]!);
  }
  return picks;
}
