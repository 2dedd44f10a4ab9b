import { readFileSync } from 'node:fs';
import { createReferenceBackend, type Float32Tensor, selectTokens } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { officialInputs, officialSelections, syntheticFeatures, syntheticText } from '@mmtok/core/testing';
import type { Select } from '@mmtok/transformers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agilepruner,
  builtInMethods,
  cdpruner,
  coverageMethod,
  defineMethod,
  divprune,
  facilityLocation,
  findMethods,
  type Method,
  type MethodFeatures,
  mmrNorm,
  mmrRelevance,
  mmrSaliency,
  mmtok,
  mmtokIvc,
  otprune,
  prunesid,
  prunesidSaliency,
  random,
  resize,
  scope,
  stacktok,
  stratified,
  svdLeverage,
  type TokenPositions,
  uniform,
  zspaprune,
} from './index.js';

const backend = createReferenceBackend();

interface OfficialCase {
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

const officialCases = JSON.parse(
  readFileSync(new URL('../../test/baseline-selections.json', import.meta.url), 'utf8'),
) as OfficialCase[];

function inputOf(
  vision: Float32Tensor,
  text: Float32Tensor,
  more: Partial<MethodFeatures> = {},
): MethodFeatures {
  return { vision, text, ...more };
}

const pick = (method: Method, features: MethodFeatures, tokens: number, seed = 1) =>
  method.select(features, { tokens, backend, seed });

/** Consecutive tokens after five others, and the frequencies of a head with eight dimensions. */
const positionsOf = (n: number): TokenPositions => ({
  ids: [Array.from({ length: n }, (_, token) => 5 + token)],
  frequencies: [0, 1, 2, 3].map((d) => 10_000 ** (-d / 4)),
});

/** All methods that select tokens. */
const choosing = builtInMethods.filter(({ resizes }) => resizes !== true);

describe('official picks', () => {
  for (const official of officialCases) {
    const vision = syntheticFeatures({
      ...official,
      dim: official.embeddingDim,
      seed: official.seeds.visionTokens,
    });
    const input = inputOf(vision, syntheticText(vision, official.textTokens, official.seeds.text));
    const name = `${official.height} × ${official.width}, ${official.budget} tokens`;

    it(`DivPrune, ${name}`, async () => {
      expect(await pick(divprune, input, official.budget)).toEqual(official.divpruneOrder);
    });

    it(`CDPruner, ${name}`, async () => {
      const picks = await pick(cdpruner, input, official.budget);
      // Beyond 96 of 192 the official kernel has run out of rank and the official loop repeats tokens.
      const count = official.budget === 192 ? 96 : official.budget;
      expect(picks.slice(0, count)).toEqual(official.cdprunerOrder.slice(0, count));
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
    const picks = await pick(mmtok, officialInputs(official), official.budget);
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

  it.each(choosing.map((method) => [method.name, method] as const))(
    '%s picks k different tokens, the same each time',
    async (_name, method) => {
      await fc.assert(
        fc.asyncProperty(arbitrary, async ({ rows, columns, dim, words, share, seed, isFlat }) => {
          const n = rows * columns;
          const k = Math.max(1, Math.round(share * n));
          const map = { height: rows, width: columns, clusters: 2, noise: 0.5, common: 0.5 };
          // A blank image: all tokens are equal, so there are only ties.
          const vision = isFlat
            ? float32(new Float32Array(n * dim).fill(0.5), [n, dim])
            : syntheticFeatures({ ...map, dim, seed });
          const text = syntheticText(vision, words, seed + 1);
          const saliency = syntheticFeatures({ ...map, dim: 1, seed: seed + 2 }).data.map(Math.abs);
          const input = inputOf(vision, text, { grid: [rows, columns], saliency, positions: positionsOf(n) });
          const picks = await pick(method, input, k, seed);
          expect(new Set(picks).size).toBe(k);
          expect(picks.every((token) => Number.isInteger(token) && token >= 0 && token < n)).toBe(true);
          expect(await pick(method, input, k, seed)).toEqual(picks);
          const all = await pick(method, input, n, seed);
          expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, token) => token));
        }),
        { numRuns: 25 },
      );
    },
  );

  const map = { height: 8, width: 8, clusters: 4, noise: 0.6, common: 0.4 };
  const vision = syntheticFeatures({ ...map, dim: 16, seed: 11 });
  const all: MethodFeatures = {
    vision,
    text: syntheticText(vision, 3, 12),
    saliency: syntheticFeatures({ ...map, dim: 1, seed: 13 }).data.map(Math.abs),
    grid: [8, 8],
    positions: positionsOf(64),
  };
  const table = choosing.map((method) => [method.name, method] as const);

  it.each(table)('%s works for 1, n − 1, and n tokens, and rejects n + 1', async (_name, method) => {
    for (const tokens of [1, 63, 64]) expect(new Set(await pick(method, all, tokens)).size).toBe(tokens);
    await expect(pick(method, all, 65)).rejects.toMatchObject({ code: 'MMTOK_METHOD' });
  });

  it.each(table.filter(([name]) => name !== 'random'))(
    '%s picks other tokens than random',
    async (_name, method) => {
      const sorted = async (one: Method) => (await pick(one, all, 12)).toSorted((a, b) => a - b);
      expect(await sorted(method)).not.toEqual(await sorted(random));
    },
  );

  it.each(table)('%s neither keeps nor uses excluded tokens', async (_name, method) => {
    const excluded = [0, 7, 20, 33];
    const request = { tokens: 20, backend, seed: 1 };
    const picks = await method.select(all, { ...request, excluded });
    expect(new Set(picks).size).toBe(20);
    expect(picks.filter((token) => excluded.includes(token))).toEqual([]);
    const changed = float32(vision.data.slice(), vision.dims);
    for (const token of excluded) changed.data.fill(9, token * 16, token * 16 + 16);
    expect(await method.select({ ...all, vision: changed }, { ...request, excluded })).toEqual(picks);
  });

  it.each(table.filter(([, { needs }]) => needs.length > 0))(
    '%s is rejected without what it needs',
    async (name, method) => {
      await expect(pick(method, { vision }, 4)).rejects.toMatchObject({
        code: 'MMTOK_METHOD',
        message: expect.stringMatching(`^Method '${name}': it needs ${method.needs[0]}`),
      });
    },
  );

  it('works as the select option of @mmtok/transformers, without a backend or seed', async () => {
    const select: Select = divprune.select;
    const tiles = [{ start: 0, visionTokens: 64, image: 0 }];
    const request = { tokens: 5, excluded: [], question: '', batchIndex: 0 };
    expect(await select({ vision, tiles }, request)).toEqual(await pick(divprune, { vision }, 5));
  });

  it('does not select tokens if it resizes the image instead', async () => {
    await expect(resize.select(all, { tokens: 1 })).rejects.toMatchObject({ code: 'MMTOK_METHOD' });
  });

  it('has a unique name and a source', () => {
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

  it('uniform keeps the token in the middle of each cell', async () => {
    expect(await pick(uniform, { ...input, grid: [16, 16] }, 4)).toEqual([
      4 * 16 + 4,
      4 * 16 + 12,
      12 * 16 + 4,
      12 * 16 + 12,
    ]);
    expect(await pick(uniform, input, 2)).toEqual([64, 192]);
  });

  it('random draws different tokens for another seed', async () => {
    const first = await pick(random, input, 20);
    expect(await pick(random, input, 20, 2)).not.toEqual(first);
  });
});

describe('newer baselines, on features small enough to check by hand', () => {
  // Three directions: tokens 0 to 3, tokens 4 and 5, and token 6, which is long.
  const rows = [
    [1, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [0, 1, 0],
    [0, 0, 3],
  ];
  const vision = float32(Float32Array.from(rows.flat()), [7, 3]);
  const text = float32(Float32Array.of(1, 0, 0), [1, 3]);
  const saliency = Float32Array.of(0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1);

  it('MMR starts with the most important token and avoids similar ones', async () => {
    expect(await pick(mmrNorm, { vision }, 3)).toEqual([6, 0, 4]);
    expect(await pick(mmrRelevance, { vision, text }, 2)).toEqual([0, 1]);
    expect(await pick(mmrSaliency, { vision, saliency }, 3)).toEqual([0, 4, 6]);
  });

  it('ZSPAPrune completes relevant tokens with the least similar ones', async () => {
    expect(await pick(zspaprune, { vision, text }, 4)).toEqual([0, 1, 4, 6]);
  });

  it('AgilePruner skips tokens too close to picks until no others are left', async () => {
    expect(await pick(agilepruner, { vision, saliency }, 3)).toEqual([0, 4, 6]);
    expect(await pick(agilepruner, { vision, saliency }, 4)).toEqual([0, 4, 6, 1]);
  });

  it('PruneSID picks from each group, near-duplicates last', async () => {
    for (const method of [prunesid, prunesidSaliency]) {
      const picks = await pick(method, { vision, saliency }, 3);
      const groupOf = (token: number) => (token < 4 ? 0 : token < 6 ? 1 : 2);
      expect(new Set(picks.map(groupOf)).size, method.name).toBeGreaterThanOrEqual(2);
    }
  });

  it('IVC keeps positions with extreme rotary embeddings, whatever their features', async () => {
    const flat = float32(new Float32Array(100 * 4).fill(1), [100, 4]);
    const picks = await pick(mmtokIvc, { vision: flat, positions: positionsOf(100) }, 20);
    // Position 5 is the nearest to 0, where every cosine is 1.
    expect(picks).toContain(0);
    expect(picks).not.toEqual(await pick(mmtok, { vision: flat }, 20));
  });

  it('stratified random draws one token from each part', async () => {
    const large = float32(new Float32Array(64 * 2).fill(1), [64, 2]);
    const picks = await pick(stratified, { vision: large, grid: [8, 8] }, 4);
    const quarter = (token: number) => 2 * Number(token >= 32) + Number(token % 8 >= 4);
    expect(picks.map(quarter).toSorted()).toEqual([0, 1, 2, 3]);
    expect(await pick(stratified, { vision: large, grid: [8, 8] }, 4, 2)).not.toEqual(picks);
  });
});

describe('picks of plain implementations, which compute every gain and whole matrices', () => {
  const map = { height: 12, width: 12, clusters: 5, noise: 0.5, common: 0.6, dim: 24 };
  const vision = syntheticFeatures({ ...map, seed: 21 });
  const input: MethodFeatures = {
    vision,
    text: syntheticText(vision, 4, 22),
    saliency: syntheticFeatures({ ...map, dim: 1, seed: 23 }).data.map(Math.abs),
  };
  const tiles = [0, 48, 96].map((start) => ({ start, visionTokens: 48 }));

  it.each([
    [facilityLocation, input, [50, 106, 68, 40, 7, 74, 55, 90, 1, 81, 38, 128, 13, 75, 59, 123]],
    [scope, input, [94, 73, 112, 13, 47, 19, 62, 106, 108, 82, 90, 0, 91, 113, 49, 84]],
    [stacktok, input, [90, 75, 139, 14, 7, 3, 106, 68, 113, 40, 140, 142, 130, 118, 100, 13]],
    [stacktok, { ...input, tiles }, [0, 130, 75, 139, 14, 126, 76, 90, 45, 78, 41, 101, 50, 7, 106, 68]],
    [svdLeverage, input, [9, 8, 118, 88, 130, 19, 84, 25, 38, 101, 17, 73, 100, 72, 140, 122]],
    [prunesid, input, [50, 93, 81, 97, 130, 36, 9, 140, 90, 100, 109, 88, 72, 82, 89, 104]],
    [agilepruner, input, [82, 94, 13, 0, 91, 90, 136, 133, 62, 73, 113, 65, 17, 31, 126, 84]],
    [otprune, input, [9, 12, 19, 73, 25, 50, 106, 72, 112, 7, 22, 83, 99, 23, 88, 26]],
  ])('$name', async (method, features, picks) => {
    expect(await pick(method, features, 16)).toEqual(picks);
  });
});

describe('StackTok', () => {
  it('gives a tile of duplicates less of the shared budget', async () => {
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
    const input = inputOf(vision, syntheticText(varied, 4, 5), {
      tiles: [0, 36].map((start) => ({ start, visionTokens: 36 })),
    });
    const picks = await pick(stacktok, input, 12);
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
  const input: MethodFeatures = { vision };
  const own = (picks: readonly number[]) =>
    defineMethod({ name: 'own', source: 'https://example.org', select: () => picks });

  it.each([
    [[0, 1, 2], '3 indices instead of 2'],
    [[0, 6], 'the index 6'],
    [[0, 0.5], 'the index 0.5'],
    [[1, 1], 'the index 1 twice'],
    [undefined as unknown as number[], 'undefined'],
  ])('must return k distinct tokens: %j', async (picks, problem) => {
    await expect(pick(own(picks), input, 2)).rejects.toMatchObject({
      code: 'MMTOK_METHOD',
      message: expect.stringContaining(problem),
    });
  });

  it('gets valid token counts and the inputs it needs', async () => {
    await expect(pick(own([]), input, 0)).rejects.toThrow('from 1 to 6 tokens, got 0');
    await expect(pick(own([]), input, 7)).rejects.toThrow('from 1 to 6 tokens, got 7');
    await expect(pick(cdpruner, input, 2)).rejects.toThrow('it needs question');
  });

  it('takes precedence over built-in methods of the same name', () => {
    expect(findMethods(['mmtok', 'own'], [own([])]).map(({ title }) => title)).toEqual(['MMTok', 'own']);
    expect(() => findMethods(['magic'])).toThrow("unknown method 'magic'; known: mmtok, ");
    expect(() => defineMethod({ name: 'My Method', source: 'x', select: () => [] })).toThrow('kebab-case');
  });

  it('can have an agent, and can be passed to defineMethod again', () => {
    const definition = { name: 'own', source: 'x', agent: 'agent', select: () => [] } as const;
    const { select: _, ...rest } = defineMethod(defineMethod(definition));
    expect(rest).toEqual({ name: 'own', title: 'own', source: 'x', needs: [], agent: 'agent' });
    expect(() => defineMethod({ ...definition, agent: 'spy' as 'agent' })).toThrow('agent: ');
  });

  it('can be a coverage objective', async () => {
    const { visionCoverage } = await import('@mmtok/core');
    const coverage = [visionCoverage({ temperature: 0.1 })];
    const method = coverageMethod({ name: 'sharper', coverage });
    const { order } = await selectTokens({ backend, vision, coverage, budget: { tokens: 3 } });
    expect(await pick(method, input, 3)).toEqual(order);
  });
});
