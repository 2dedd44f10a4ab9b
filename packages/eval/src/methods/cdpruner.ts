// CDPruner: diverse tokens among the relevant ones, as a determinantal point process. The paper's and OpenVINO's way.

import type { Backend, Float32Tensor } from '@mmtok/core';
import { descending, greedyDeterminant, minMax } from './greedy.js';
import { cosineMatrix, rowMeans } from './matrices.js';
import type { Method, MethodFeatures } from './method.js';
import { defineMethod } from './method.js';

/**
 * The relevance of each token: its mean cosine to the question's tokens, from 0 to 1.
 * @param sign The official code takes −1, which fits the embeddings of CLIP.
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

/** NeurIPS 2025. The official loop repeats tokens once the kernel's rank is spent; here relevance decides then. */
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

/** `relevance_weight` θ of OpenVINO by default; relevance enters as exp(θ / (2 (1 − θ)) · r). */
const WEIGHT = 0.5;

/**
 * As OpenVINO GenAI ships it: relevance with positive sign and exponential weight, and two searches of half the budget,
 * each over one half of the tokens and with relevance from 0 to 1 within it.
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
