// CDPruner: diverse tokens among the relevant ones, by a determinantal point process. As in the paper, and as in OpenVINO.

import type { Backend, Float32Tensor } from '@mmtok/core';
import { descending, greedyDeterminant, minMax } from './greedy.js';
import { cosineMatrix, rowMeans } from './matrices.js';
import type { Method, MethodFeatures } from './method.js';
import { defineMethod } from './method.js';

/**
 * The relevance of each token: its mean cosine to the question's tokens, from 0 to 1.
 * @param sign The official code uses −1, which fits CLIP's embeddings.
 */
export async function relevance(
  { vision, text }: MethodFeatures,
  backend: Backend,
  sign: 1 | -1,
  epsilon = 0,
): Promise<Float64Array> {
  const means = rowMeans(await cosineMatrix(backend, vision, text as Float32Tensor));
  return minMax(
    means.map((mean) => sign * mean),
    epsilon,
  );
}

/** NeurIPS 2025. Once the kernel's rank is exhausted, the official loop repeats tokens; here relevance decides. */
export const cdpruner: Method = defineMethod({
  name: 'cdpruner',
  title: 'CDPruner',
  source: 'https://github.com/Theia-4869/CDPruner',
  needs: ['question'],
  async select(features, { tokens: k, backend }) {
    const { data, rows: n } = await cosineMatrix(backend, features.vision, features.vision);
    const r = await relevance(features, backend, -1, 1e-6);
    return greedyDeterminant({ size: n, at: (i, j) => r[i]! * data[i * n + j]! * r[j]! }, k, descending(r));
  },
});

/** Default of OpenVINO's `relevance_weight` θ. Relevance enters as exp(θ / (2 (1 − θ)) · r). */
const WEIGHT = 0.5;

/**
 * As in OpenVINO GenAI: relevance with positive sign and exponential weight, and two searches with half the budget each, over the
 * two halves of the tokens, with relevance rescaled to 0 to 1 in each.
 */
export const cdprunerOpenvino: Method = defineMethod({
  name: 'cdpruner-openvino',
  title: 'CDPruner (OpenVINO)',
  source:
    'https://github.com/openvinotoolkit/openvino.genai/tree/master/src/cpp/src/visual_language/cdpruner',
  needs: ['question'],
  async select({ vision, text }, { tokens: k, backend }) {
    const { data, rows: n } = await cosineMatrix(backend, vision, vision);
    const means = rowMeans(await cosineMatrix(backend, vision, text as Float32Tensor));
    const search = (start: number, end: number, count: number): number[] => {
      const r = minMax(means.slice(start, end)).map((value) =>
        Math.exp((WEIGHT / (2 * (1 - WEIGHT))) * value),
      );
      const at = (i: number, j: number): number => r[i]! * data[(start + i) * n + start + j]! * r[j]!;
      return greedyDeterminant({ size: end - start, at }, count, descending(r)).map((token) => start + token);
    };
    const half = Math.floor(n / 2);
    const ofFirst = Math.min(Math.floor(k / 2), half);
    return [...search(0, half, ofFirst), ...search(half, n, k - ofFirst)];
  },
});
