// ZSPAPrune: a core of tokens similar to the question as a whole, completed by tokens dissimilar to all picks.

import type { Float32Tensor } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { argMax, descending } from './greedy.js';
import { cosineMatrix } from './matrices.js';
import { defineMethod, type Method } from './method.js';

/** Share of the core. There is no official code, and the paper varies it; this is an even split. */
const CORE = 0.5;

/** The core is the tokens with the highest cosine to the mean of the question's tokens. */
export const zspaprune: Method = defineMethod({
  name: 'zspaprune',
  title: 'ZSPAPrune',
  source: 'https://arxiv.org/abs/2510.17197',
  needs: ['question'],
  async select({ vision, text }, { tokens: k, backend }) {
    const { data: closeness } = await cosineMatrix(backend, vision, meanRow(text as Float32Tensor));
    const { data, rows: n } = await cosineMatrix(backend, vision, vision);
    const picks = descending(closeness).slice(0, Math.ceil(k * CORE));
    const isPicked = new Uint8Array(n);
    const likeness = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
    const include = (token: number): void => {
      isPicked[token] = 1;
      for (let j = 0; j < n; j++) likeness[j] = Math.max(likeness[j]!, data[token * n + j]!);
    };
    for (const token of picks) include(token);
    while (picks.length < k) {
      const token = argMax(
        likeness.map((value) => -value),
        (j) => isPicked[j] === 0,
      );
      picks.push(token);
      include(token);
    }
    return picks;
  },
});

function meanRow({ data, dims }: Float32Tensor): Float32Tensor {
  const [m, d] = dims as readonly [number, number];
  const mean = new Float32Array(d);
  for (let i = 0; i < m; i++) for (let c = 0; c < d; c++) mean[c]! += data[i * d + c]! / m;
  return float32(mean, [1, d]);
}
