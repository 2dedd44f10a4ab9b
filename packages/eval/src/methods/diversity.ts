// Methods that look for a diverse set of tokens: DivPrune and farthest point by the distance to the nearest pick, CDPruner and
// OTPrune by a determinant, and Cen-Prune, a plug-in for both kinds.

import type { Backend, Float32Tensor } from '@mmtok/core';
import { defineProgram } from '@mmtok/core/backend';
import { argMax, descending, greedyDeterminant, maxMin } from './greedy.js';
import { centered, cosineMatrix, type Matrix, minMax, relevance, rowMeans } from './matrices.js';
import { defineMethod, type Method, type MethodFeatures } from './method.js';

/** Max-min diversity of the projected tokens (CVPR 2025). Unlike the official loop, never picks a token twice. */
export const divprune: Method = defineMethod({
  name: 'divprune',
  title: 'DivPrune',
  source: 'https://github.com/vbdi/divprune',
  select: async ({ vision }, { tokens, backend }) =>
    maxMin(await cosineMatrix(backend, vision, vision), tokens),
});

// Farthest-point sampling: classical max-min search, starting from the token least similar to the others.

/** Max-min search over the features before the projector, starting from the token with the lowest mean cosine. */
export const farthestPoint: Method = defineMethod({
  name: 'farthest-point',
  title: 'Farthest point',
  source: 'https://doi.org/10.1016/0304-3975(85)90224-5',
  async select({ visionFeatures }, { tokens, backend }) {
    const cosines = await cosineMatrix(backend, visionFeatures, visionFeatures);
    return maxMin(cosines, tokens, { first: argMax(rowMeans(cosines).map((mean) => -mean)) });
  },
});

// CDPruner, as published and as in OpenVINO.

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

// Cen-Prune centers tokens and favors uncommon ones.

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
