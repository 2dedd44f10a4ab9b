// DART on embeddings: drops near-duplicates of a few pivots, which are the longest vision and text tokens.

import type { Float32Tensor } from '@mmtok/core';
import { descending } from './greedy.js';
import { cosineMatrix } from './matrices.js';
import { defineMethod, type Method } from './method.js';

/** Pivots per kind, as in the official settings. */
const PIVOTS = 4;

/**
 * The embedding-level variant of DART (EMNLP 2025). The original reads key states of the language model's second layer; this one
 * reads input embeddings. Vision pivots are kept; the other picks are split among all pivots, each of which takes the tokens
 * least similar to it.
 */
export const dartEmbedding: Method = defineMethod({
  name: 'dart-embedding',
  title: 'DART (embeddings)',
  source: 'https://arxiv.org/abs/2502.11494',
  async select({ vision, text }, { tokens: k, backend }) {
    const pivots = longest(vision, Math.min(PIVOTS, k));
    const orders = await ordersFrom(pivots.map((row) => rowOf(vision, row)));
    const words = text === undefined ? [] : longest(text, PIVOTS).map((row) => rowOf(text, row));
    orders.push(...(await ordersFrom(words)));
    const picks = [...pivots];
    const picked = new Set(picks);
    const left = k - picks.length;
    orders.forEach((order, at) => {
      const share = Math.floor(((at + 1) * left) / orders.length) - Math.floor((at * left) / orders.length);
      for (const token of order.filter((candidate) => !picked.has(candidate)).slice(0, share)) {
        picked.add(token);
        picks.push(token);
      }
    });
    return picks;

    /** For each pivot all tokens, least similar first. */
    async function ordersFrom(rows: readonly Float32Array[]): Promise<number[][]> {
      const found: number[][] = [];
      for (const data of rows) {
        const pivot: Float32Tensor = { type: 'float32', data, dims: [1, data.length] };
        const cosines = await cosineMatrix(backend, vision, pivot);
        found.push(descending(cosines.data.map((cosine) => -cosine)));
      }
      return found;
    }
  },
});

function rowOf({ data, dims }: Float32Tensor, row: number): Float32Array {
  const width = dims[1] as number;
  return data.subarray(row * width, (row + 1) * width);
}

/** The rows with the largest L1 norm. */
function longest(tensor: Float32Tensor, count: number): number[] {
  const norms = Array.from({ length: tensor.dims[0] as number }, (_, row) =>
    rowOf(tensor, row).reduce((sum, value) => sum + Math.abs(value), 0),
  );
  return descending(norms).slice(0, count);
}
