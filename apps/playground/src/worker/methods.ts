// Three ways to select tokens without coverage, each a `select` function of a few lines, as a user would write it.

import { createRandom, shuffleFront } from '@mmtok/core/internal';
import type { Select } from '@mmtok/transformers';
import { normalizedRows, similarity } from '../lib/cosine.js';

/** DivPrune: repeatedly picks the token that is farthest from all earlier picks. It ignores the question. */
export const divprune: Select = ({ vision }, { tokens }) => {
  const rows = normalizedRows(vision);
  const nearest = new Float64Array(rows.count).fill(Number.POSITIVE_INFINITY);
  const picks: number[] = [];
  let next = mostIsolated(rows);
  while (picks.length < tokens) {
    picks.push(next);
    nearest[next] = Number.NEGATIVE_INFINITY;
    for (let token = 0; token < rows.count; token++) {
      nearest[token] = Math.min(nearest[token] as number, 1 - similarity(rows, token, rows, next));
    }
    next = nearest.reduce(
      (best, distance, token) => (distance > (nearest[best] as number) ? token : best),
      0,
    );
  }
  return picks;
};

/** The token whose nearest neighbor is farthest. */
function mostIsolated(rows: ReturnType<typeof normalizedRows>): number {
  let best = 0;
  let farthest = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < rows.count; token++) {
    let nearest = Number.POSITIVE_INFINITY;
    for (let other = 0; other < rows.count; other++) {
      if (other !== token) nearest = Math.min(nearest, 1 - similarity(rows, token, rows, other));
    }
    if (nearest > farthest) [farthest, best] = [nearest, token];
  }
  return best;
}

/** Random tokens, the same ones each time. */
export const random: Select = ({ vision }, { tokens, excluded }) => {
  const barred = new Set(excluded);
  const all = Array.from({ length: vision.dims[0] as number }, (_, token) => token);
  const order = Int32Array.from(all.filter((token) => !barred.has(token)));
  shuffleFront(order, tokens, createRandom(7));
  return [...order.subarray(0, tokens)];
};

/** Tokens spread evenly: the middles of equal cells. */
export const uniform: Select = ({ vision, grid }, { tokens }) => {
  const count = vision.dims[0] as number;
  if (grid === undefined) return middles(count, tokens);
  const [rows, columns] = grid;
  const square = Math.round(Math.sqrt((tokens * rows) / columns));
  const cellRows = Math.min(Math.max(square, Math.ceil(tokens / columns), 1), rows, tokens);
  return middles(rows, cellRows).flatMap((row, at) => {
    const inRow = Math.floor(((at + 1) * tokens) / cellRows) - Math.floor((at * tokens) / cellRows);
    return middles(columns, inRow).map((column) => row * columns + column);
  });
};

const middles = (length: number, parts: number): number[] =>
  Array.from({ length: parts }, (_, part) => Math.floor(((part + 0.5) * length) / parts));
