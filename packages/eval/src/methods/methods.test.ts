import { readFileSync } from 'node:fs';
import { createReferenceBackend, type Float32Tensor, selectTokens } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { officialInputs, officialSelections, syntheticFeatures, syntheticText } from '@mmtok/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  builtInMethods,
  cdpruner,
  coverageMethod,
  defineMethod,
  divprune,
  findMethods,
  mmtok,
  random,
  type SelectorInput,
  stacktok,
  uniform,
} from './index.js';

const backend = createReferenceBackend();

interface PeerCase {
  readonly height: number;
  readonly width: number;
  readonly embeddingDim: number;
  readonly textTokens: number;
  readonly budget: number;
  readonly clusters: number;
  readonly noise: number;
  readonly common: number;
  readonly seeds: { readonly visionTokens: number; readonly text: number };
  readonly divpruneOrder: readonly number[];
  readonly cdprunerOrder: readonly number[];
}

const peerCases = JSON.parse(
  readFileSync(new URL('../../test/peer-selections.json', import.meta.url), 'utf8'),
) as PeerCase[];

function inputOf(
  vision: Float32Tensor,
  text: Float32Tensor,
  more: Partial<SelectorInput> = {},
): SelectorInput {
  return { backend, vision, visionFeatures: vision, text, seed: 1, ...more };
}

describe('official picks', () => {
  for (const peer of peerCases) {
    const vision = syntheticFeatures({ ...peer, dim: peer.embeddingDim, seed: peer.seeds.visionTokens });
    const input = inputOf(vision, syntheticText(vision, peer.textTokens, peer.seeds.text));
    const name = `${peer.height} × ${peer.width}, ${peer.budget} tokens`;

    it(`DivPrune, ${name}`, async () => {
      expect(await divprune.select(input, peer.budget)).toEqual(peer.divpruneOrder);
    });

    it(`CDPruner, ${name}`, async () => {
      const picks = await cdpruner.select(input, peer.budget);
      // Beyond 96 of 192 the official kernel has run out of rank and the official loop repeats tokens.
      const count = peer.budget === 192 ? 96 : peer.budget;
      expect(picks.slice(0, count)).toEqual(peer.cdprunerOrder.slice(0, count));
    });
  }

  it('MMTok', async () => {
    const official = officialSelections.find(
      (one) =>
        one.excludedFirst === 0 &&
        one.textTemperature === 0.02 &&
        one.visionTemperature === 0.2 &&
        one.alpha === 0.5,
    )!;
    const picks = await mmtok.select({ backend, seed: 1, ...officialInputs(official) }, official.budget);
    expect(picks.toSorted((a, b) => a - b)).toEqual(official.officialIndices);
  });
});

describe('every method', () => {
  const arbitrary = fc.record({
    rows: fc.integer({ min: 1, max: 7 }),
    columns: fc.integer({ min: 1, max: 7 }),
    dim: fc.integer({ min: 1, max: 12 }),
    words: fc.integer({ min: 1, max: 5 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.integer({ min: 1, max: 1e6 }),
    isFlat: fc.boolean(),
  });

  it.each(builtInMethods.map((method) => [method.name, method] as const))(
    '%s picks k different tokens, the same each time',
    async (_name, method) => {
      await fc.assert(
        fc.asyncProperty(arbitrary, async ({ rows, columns, dim, words, share, seed, isFlat }) => {
          const n = rows * columns;
          const k = Math.max(1, Math.round(share * n));
          const map = { height: rows, width: columns, clusters: 2, noise: 0.5, common: 0.5 };
          // A flat picture: every token the same, so that there is nothing but ties.
          const vision = isFlat
            ? float32(new Float32Array(n * dim).fill(0.5), [n, dim])
            : syntheticFeatures({ ...map, dim, seed });
          const text = syntheticText(vision, words, seed + 1);
          const saliency = syntheticFeatures({ ...map, dim: 1, seed: seed + 2 }).data.map(Math.abs);
          const input = inputOf(vision, text, { grid: [rows, columns], saliency, seed });
          const picks = await method.select(input, k);
          expect(new Set(picks).size).toBe(k);
          expect(picks.every((token) => Number.isInteger(token) && token >= 0 && token < n)).toBe(true);
          expect(await method.select(input, k)).toEqual(picks);
          const all = await method.select(input, n);
          expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, token) => token));
        }),
        { numRuns: 25 },
      );
    },
  );

  it('has a name of its own and a source', () => {
    expect(new Set(builtInMethods.map(({ name }) => name)).size).toBe(builtInMethods.length);
    expect(builtInMethods.every(({ source, title }) => source !== '' && title !== '')).toBe(true);
  });
});

describe('baselines', () => {
  const vision = syntheticFeatures({
    height: 16,
    width: 16,
    dim: 4,
    clusters: 2,
    noise: 1,
    common: 0,
    seed: 3,
  });
  const input = inputOf(vision, syntheticText(vision, 2, 4));

  it('uniform takes the middles of cells', async () => {
    expect(await uniform.select({ ...input, grid: [16, 16] }, 4)).toEqual([
      4 * 16 + 4,
      4 * 16 + 12,
      12 * 16 + 4,
      12 * 16 + 12,
    ]);
    expect(await uniform.select(input, 2)).toEqual([64, 192]);
  });

  it('random draws anew for another seed', async () => {
    const first = await random.select(input, 20);
    expect(await random.select({ ...input, seed: 2 }, 20)).not.toEqual(first);
  });
});

describe('StackTok', () => {
  it('gives a tile of nothing but copies less of the shared budget', async () => {
    const varied = syntheticFeatures({
      height: 6,
      width: 6,
      dim: 16,
      clusters: 6,
      noise: 0.8,
      common: 0,
      seed: 9,
    });
    const dull = varied.data.slice(0, 16);
    const data = new Float32Array(2 * varied.data.length);
    data.set(varied.data);
    for (let i = 36; i < 72; i++) data.set(dull, i * 16);
    const vision = float32(data, [72, 16]);
    const input = inputOf(vision, syntheticText(varied, 4, 5), { tiles: [36, 36] });
    const picks = await stacktok.select(input, 12);
    expect(picks.filter((token) => token < 36).length).toBeGreaterThan(8);
  });
});

describe('a method of your own', () => {
  const vision = syntheticFeatures({
    height: 2,
    width: 3,
    dim: 4,
    clusters: 1,
    noise: 1,
    common: 0,
    seed: 3,
  });
  const input: SelectorInput = { backend, vision, visionFeatures: vision, seed: 1 };
  const own = (picks: readonly number[]) =>
    defineMethod({ name: 'own', source: 'https://example.org', select: () => picks });

  it.each([
    [[0, 1, 2], 'returned 3 indices where 2 were asked for'],
    [[0, 6], 'the index 6, where there are 6 tokens'],
    [[0, 0.5], 'the index 0.5'],
    [[1, 1], 'the index 1 twice'],
    [undefined as unknown as number[], 'returned undefined where an array of 2 indices was asked for'],
  ])('is held to the contract: %j', async (picks, problem) => {
    await expect(own(picks).select(input, 2)).rejects.toMatchObject({
      code: 'MMTOK_METHOD',
      message: expect.stringContaining(problem),
    });
  });

  it('is asked for possible numbers only, and given what it needs', async () => {
    await expect(own([]).select(input, 0)).rejects.toThrow('from 1 to 6 tokens, got 0');
    await expect(own([]).select(input, 7)).rejects.toThrow('from 1 to 6 tokens, got 7');
    await expect(cdpruner.select(input, 2)).rejects.toThrow('it needs text');
  });

  it('is found beside the built-in ones, and before them', () => {
    expect(findMethods(['mmtok', 'own'], [own([])]).map(({ title }) => title)).toEqual(['MMTok', 'own']);
    expect(() => findMethods(['magic'])).toThrow("there is no method 'magic'; there are mmtok, ");
    expect(() => defineMethod({ name: 'My Method', source: 'x', select: () => [] })).toThrow('kebab-case');
  });

  it('may have an agent, and be defined again from what it became', () => {
    const definition = { name: 'own', source: 'x', agent: 'agent', select: () => [] } as const;
    const { select: _, ...rest } = defineMethod(defineMethod(definition));
    expect(rest).toEqual({ name: 'own', title: 'own', source: 'x', needs: [], agent: 'agent' });
    expect(() => defineMethod({ ...definition, agent: 'spy' as 'agent' })).toThrow('agent: ');
  });

  it('can be an objective', async () => {
    const { visionCoverage } = await import('@mmtok/core');
    const coverage = [visionCoverage({ temperature: 0.1 })];
    const method = coverageMethod({ name: 'sharper', coverage });
    const { order } = await selectTokens({ backend, vision, coverage, budget: { tokens: 3 } });
    expect(await method.select(input, 3)).toEqual(order);
  });
});
