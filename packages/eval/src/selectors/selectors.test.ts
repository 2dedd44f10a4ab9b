// The baselines: as many tokens as asked, spread or drawn as they say.

import { createReferenceBackend, selectTokens } from '@mmtok/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mmtokSelector } from './mmtok-selector.js';
import { randomSelector } from './random-selector.js';
import { uniformSelector } from './uniform-selector.js';

const image = (rows: number, columns: number, seed = 0) => ({
  vision: Array.from({ length: rows * columns }, (_, i) => [Math.sin(i + seed), Math.cos(3 * i), 1]),
  grid: [rows, columns] as const,
});

describe.each([
  ['random', randomSelector()],
  ['uniform', uniformSelector()],
  ['mmtok', mmtokSelector({ backend: createReferenceBackend() })],
] as const)('%s', (_, selector) => {
  test('keeps exactly the budget: whole, distinct, ascending indices', async () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 9 }),
      columns: fc.integer({ min: 1, max: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 90 }), async ({ rows, columns }, tokens) => {
        const kept = await selector(image(rows, columns), { tokens });
        const n = rows * columns;
        expect(kept).toHaveLength(Math.min(tokens, n));
        expect([...new Set(kept)].sort((a, b) => a - b)).toEqual(kept);
        for (const token of kept) expect(token).toBeGreaterThanOrEqual(0);
        for (const token of kept) expect(token).toBeLessThan(n);
      }),
    );
  });

  test('takes a ratio', async () => {
    expect(await selector(image(10, 10), { ratio: 0.25 })).toHaveLength(25);
  });
});

test('random: the same image has the same draw, another image or seed another', async () => {
  const budget = { tokens: 10 };
  const draw = (seed: number, picture: number) => randomSelector({ seed })(image(12, 12, picture), budget);
  expect(await draw(0, 1)).toEqual(await draw(0, 1));
  expect(await draw(0, 1)).not.toEqual(await draw(0, 2));
  expect(await draw(0, 1)).not.toEqual(await draw(5, 1));
});

test('random: every token is kept equally often', async () => {
  const counts = new Array<number>(20).fill(0);
  for (let seed = 0; seed < 2000; seed++) {
    for (const token of await randomSelector({ seed })(image(4, 5), { tokens: 5 })) counts[token]!++;
  }
  // Expected 500 of 2,000 draws each, standard deviation 19.
  for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(100);
});

test('uniform: over a grid, the middles of its cells', async () => {
  expect(await uniformSelector()(image(4, 4), { tokens: 4 })).toEqual([5, 7, 13, 15]);
  expect(await uniformSelector()(image(6, 6), { tokens: 9 })).toEqual([7, 9, 11, 19, 21, 23, 31, 33, 35]);
  expect(await uniformSelector()(image(2, 8), { tokens: 4 })).toEqual([9, 11, 13, 15]);
});

test('uniform: over a sequence, evenly', async () => {
  const { vision } = image(1, 10);
  expect(await uniformSelector()({ vision }, { tokens: 3 })).toEqual([1, 5, 8]);
  await expect(uniformSelector()({ vision, grid: [3, 3] }, { tokens: 3 })).rejects.toThrow(/3 × 3 .* 10/);
});

test('baselines measure no coverage and say so', async () => {
  const asked = randomSelector()(image(4, 4), { coverage: 0.9 });
  await expect(asked).rejects.toMatchObject({ code: 'MMTOK_INVALID_BUDGET' });
  expect(() => randomSelector({ seed: 0.5 })).toThrow(/options of randomSelector: seed/);
});

test('mmtok is selectTokens', async () => {
  const backend = createReferenceBackend();
  const input = { ...image(6, 6), text: [[1, 0, 0]] };
  const { vision, text } = input;
  const { indices } = await selectTokens({ backend, vision, text, budget: { coverage: 0.5 } });
  expect(await mmtokSelector({ backend })(input, { coverage: 0.5 })).toEqual(indices);
});
