// CDPruner and OTPrune: greedy searches for the set of tokens with the largest determinant.

import type { Float32Tensor } from '@mmtok/core';
import { defineProgram } from '@mmtok/core/backend';
import { descending, greedyDeterminant, minMax } from './greedy.js';
import { cosineMatrix, relevance, rowMeans } from './matrices.js';
import { defineMethod, type Method } from './method.js';

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

// OTPrune: tokens whose distribution stays close to that of all tokens, by a log-determinant.

/** The official factor on G Gᵀ. */
const SCALE = 0.01;

/** G Gᵀ of G = V Vᵀ, with every dimension of V scaled to unit length over the tokens. */
const squaredGram = defineProgram({
  name: 'squaredGram',
  inputs: { vision: { dims: ['n', 'd'] } },
  outputs: { squared: { dims: ['n', 'n'] } },
  build: (ops, { vision }) => {
    const columns = ops.transpose(vision);
    const norms = ops.maximum(ops.rowNorms(columns), ops.scalar(1e-8));
    const rows = ops.transpose(ops.divide(columns, norms));
    const gram = ops.matMul(rows, rows, { transposeB: true });
    return { squared: ops.matMul(gram, gram, { transposeB: true }) };
  },
});

/** CVPR 2026: greedy log-determinant of I + 0.01 G Gᵀ over the projected tokens. */
export const otprune: Method = defineMethod({
  name: 'otprune',
  title: 'OTPrune',
  source: 'https://github.com/xiwenc1/OTPrune',
  async select({ vision }, { tokens: k, backend }) {
    const { squared } = await backend.run(squaredGram, { vision });
    const { data } = squared as Float32Tensor;
    const n = vision.dims[0] as number;
    const at = (i: number, j: number): number => SCALE * data[i * n + j]! + (i === j ? 1 : 0);
    return greedyDeterminant({ size: n, at }, k, descending(new Float64Array(n)));
  },
});
