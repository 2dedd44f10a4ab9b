// The page's own `select` functions keep what `prune` holds them to: as many different tokens as asked for.
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
] as const)('%s picks different tokens, as many as asked for', async (_, select) => {
  for (const tokens of [1, 7, 16, 63]) {
    const chosen = Array.from(await select(features, { tokens, excluded: [], question: '', batchIndex: 0 }));
    expect(new Set(chosen).size).toBe(tokens);
    expect(chosen.every((token) => token >= 0 && token < 64)).toBe(true);
  }
});

test('uniform spreads over the grid', async () => {
  const request = { tokens: 4, excluded: [], question: '', batchIndex: 0 };
  expect(await uniform(features, request)).toEqual([2 * 8 + 2, 2 * 8 + 6, 6 * 8 + 2, 6 * 8 + 6]);
});
