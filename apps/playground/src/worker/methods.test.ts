// The page's own `select` functions return what `prune` requires: as many different tokens as requested.
import { expect, test } from 'vitest';
import { divprune, random, uniform } from './methods.js';

const data = Float32Array.from({ length: 64 * 4 }, (_, at) => Math.sin(at * 1.7));
const features = {
  vision: { type: 'float32' as const, data, dims: [64, 4] },
  tiles: [],
  grid: [8, 8] as const,
};

test.each([
  ['DivPrune', divprune],
  ['random', random],
  ['uniform', uniform],
] as const)('%s picks different tokens, as many as requested', async (_, select) => {
  for (const tokens of [1, 7, 16, 63]) {
    const chosen = Array.from(await select(features, { tokens, excluded: [], question: '', batchIndex: 0 }));
    expect(new Set(chosen).size).toBe(tokens);
    expect(chosen.every((token) => token >= 0 && token < 64)).toBe(true);
  }
});

test('random never picks excluded tokens', async () => {
  const excluded = Array.from({ length: 32 }, (_, at) => 2 * at);
  const request = { tokens: 32, excluded, question: '', batchIndex: 0 };
  const picks = Array.from(await random(features, request));
  expect(picks.toSorted((a, b) => a - b)).toEqual(excluded.map((token) => token + 1));
});

test('uniform spreads over the grid', async () => {
  const request = { tokens: 4, excluded: [], question: '', batchIndex: 0 };
  expect(await uniform(features, request)).toEqual([2 * 8 + 2, 2 * 8 + 6, 6 * 8 + 2, 6 * 8 + 6]);
});
