import { createReferenceBackend } from '@mmtok/core';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  atPicture,
  type EncoderDims,
  firstTokenCosts,
  type ModelDims,
  parameterCounts,
  parseModelDims,
} from './dims.js';
import { measureSpeed, type SpeedOptions, type SpeedProgress } from './measure-speed.js';
import { findModelDims, modelDims } from './presets.js';
import type { SpeedRuntime, SpeedTensor } from './runtime.js';

const dims: ModelDims = {
  title: 'Small',
  hidden: 64,
  layers: 3,
  heads: 4,
  keyValueHeads: 2,
  headDim: 16,
  intermediate: 96,
  vocabulary: 50,
  attentionBias: true,
  visionTokens: 40,
  visionWidth: 24,
  keep: ['25%', '4'],
};

/** Five tiles of 4 × 4 patches, of which four make a token; every second layer attends within windows. */
const tiled: ModelDims = {
  ...dims,
  visionTokens: 20,
  visionWidth: 64,
  encoder: {
    title: 'Tower',
    hidden: 16,
    layers: 4,
    heads: 2,
    intermediate: 24,
    gated: true,
    patchValues: 12,
    grid: [4, 4],
    tiles: 5,
    classToken: false,
    merge: 2,
    projector: [32],
    window: { side: 2, fullEvery: 2 },
  },
};

const library = ort as unknown as SpeedRuntime;

/** The runtime, and the lengths of all sequences that its sessions were given. */
function watchedRuntime(): {
  readonly runtime: SpeedRuntime;
  readonly lengths: number[];
  readonly logits: SpeedTensor[];
  /** Shapes of what encoders were given, and what they gave. */
  readonly patches: (readonly number[])[];
  readonly features: SpeedTensor[];
} {
  const lengths: number[] = [];
  const logits: SpeedTensor[] = [];
  const patches: (readonly number[])[] = [];
  const features: SpeedTensor[] = [];
  const create: SpeedRuntime['InferenceSession']['create'] = async (path, options) => {
    const session = await library.InferenceSession.create(path, options);
    return {
      async run(feeds) {
        if (feeds.inputs_embeds) lengths.push(feeds.inputs_embeds.dims[1] as number);
        if (feeds.patches) patches.push(feeds.patches.dims);
        const outputs = await session.run(feeds);
        if (outputs.image_features) features.push(outputs.image_features);
        if (outputs.logits) logits.push(outputs.logits);
        return outputs;
      },
      release: () => session.release(),
    };
  };
  return {
    runtime: { InferenceSession: { create }, Tensor: library.Tensor },
    lengths,
    logits,
    patches,
    features,
  };
}

const measure = (more: Partial<SpeedOptions> = {}) =>
  measureSpeed({
    dims,
    runtime: library,
    backend: createReferenceBackend(),
    textTokens: 6,
    rounds: 2,
    decodeTokens: 3,
    ...more,
  });

describe('a measurement of speed', () => {
  it('runs the same prompt whole and with each budget, in turns', async () => {
    const { runtime, lengths, logits } = watchedRuntime();
    const result = await measure({ runtime });
    const { rows } = result;
    expect(
      rows.map(({ budget, visionTokens, promptTokens }) => [budget, visionTokens, promptTokens]),
    ).toEqual([
      ['all', 40, 46],
      ['25%', 10, 16],
      ['4', 4, 10],
    ]);
    const answer = (length: number, steps: number) => [length, ...new Array<number>(steps).fill(1)];
    const round = [46, 16, 10].flatMap((length) => answer(length, 3));
    const warmUp = [10, 16, 46].flatMap((length) => answer(length, 1));
    expect(lengths).toEqual([1, ...warmUp, ...round, ...round]);
    for (const { data, dims: shape } of logits) {
      expect(shape).toEqual([1, 1, 50]);
      expect((data as Float32Array).every(Number.isFinite)).toBe(true);
    }
    expect(new Set(logits.at(-1)?.data as Float32Array).size).toBeGreaterThan(1);
  });

  it('tells what was measured, and of what', async () => {
    const { rows, ...rest } = await measure();
    expect(rest).toMatchObject({
      builtLayers: 3,
      isScaled: false,
      dtype: 'fp32',
      device: 'cpu',
      backend: 'reference (cpu)',
      rounds: 2,
      decodeTokens: 3,
      textTokens: 6,
      notes: [expect.stringContaining('vision encoder'), expect.stringContaining('random')],
    });
    const { perLayer, head } = parameterCounts(dims);
    expect(rest.parameters).toBe(3 * perLayer + head);
    // Each tensor begins on a page of its own.
    expect(rest.weightBytes).toBeGreaterThanOrEqual(4 * rest.parameters);
    for (const row of rows) {
      expect(row.cacheBytes).toBe(2 * 3 * 2 * 16 * 4 * row.promptTokens);
      expect(row.firstTokenMs).toBeGreaterThan(0);
      expect(row.decodeMs).toBeGreaterThan(0);
      if (row.peakBytes !== undefined) expect(row.peakBytes).toBeGreaterThanOrEqual(0);
    }
    const [whole, ...pruned] = rows;
    expect(whole).toMatchObject({ selectMs: 0, speedup: { prefillMs: 1, firstTokenMs: 1, decodeMs: 1 } });
    for (const row of pruned) {
      expect(row.selectMs).toBeGreaterThan(0);
      expect(row.speedup.firstTokenMs).toBeCloseTo((whole?.firstTokenMs as number) / row.firstTokenMs);
    }
  });

  it('begins with the encoder, over all tiles and over some', async () => {
    const { runtime, patches, lengths } = watchedRuntime();
    const { rows, notes, builtEncoderLayers, weightBytes } = await measure({
      runtime,
      dims: tiled,
      budgets: ['25%'],
      tiles: 2,
      rounds: 1,
      decodeTokens: 1,
    });
    expect(
      rows.map(({ budget, tiles, visionTokens, promptTokens }) => [
        budget,
        tiles,
        visionTokens,
        promptTokens,
      ]),
    ).toEqual([
      ['all', 5, 20, 26],
      ['all', 2, 8, 14],
      // A share counts the tokens of all tiles.
      ['25%', 5, 5, 11],
      ['25%', 2, 5, 11],
    ]);
    // The overview first, and then the other tile; all tiles at once.
    expect(patches).toEqual([1, 1, 5, 5, 1, 1].map((count) => [count, 16, 12]));
    expect(lengths.filter((length) => length > 1)).toHaveLength(8);
    for (const row of rows) {
      expect(row.encodeMs).toBeGreaterThan(0);
      expect(row.firstTokenMs).toBeCloseTo(row.encodeMs + row.selectMs + row.prefillMs, 6);
    }
    expect(rows[0]?.encodeMs).toBe(rows[2]?.encodeMs);
    expect(rows[1]?.encodeMs).toBe(rows[3]?.encodeMs);
    expect(builtEncoderLayers).toBe(4);
    expect(notes[0]).toMatch(
      /^of the first token with all tokens the encoder takes \d+ %: .* at most \d+\.\d\d times/,
    );
    expect(weightBytes).toBeGreaterThan((await measure({ rounds: 1 })).weightBytes);
  });

  it('builds fewer layers of the encoder if told, whole patterns of windows', async () => {
    const { patches, runtime } = watchedRuntime();
    const { notes, rows } = await measure({ runtime, dims: tiled, encoderLayers: 2, rounds: 1 });
    expect(notes[0]).toMatch(/^2 of 4 layers of the encoder .* multiplied by 2\.00/);
    expect(patches.length).toBeGreaterThan(0);
    expect(rows[0]?.encodeMs).toBeGreaterThan(0);
    await expect(measure({ dims: tiled, encoderLayers: 3 })).rejects.toThrow(
      'a multiple of 2, at most the 4',
    );
    await expect(measure({ encoderLayers: 1 })).rejects.toThrow('have no encoder');
    await expect(measure({ dims: tiled, tiles: 5 })).rejects.toThrow('fewer than the 5 of Small');
  });

  it.each(['fp16', 'q4'] as const)('runs an encoder with a class token in %s', async (dtype) => {
    const encoder = { ...(tiled.encoder as EncoderDims), classToken: true, gated: false, window: undefined };
    const { runtime, patches, features } = watchedRuntime();
    await measure({ runtime, dims: { ...tiled, encoder }, dtype, rounds: 1, decodeTokens: 1 });
    expect(patches[0]).toEqual([5, 17, 12]);
    const [{ data, dims: shape }] = features as [SpeedTensor];
    expect(shape).toEqual([5, 4, 64]);
    expect((data as Float32Array).every(Number.isFinite)).toBe(true);
    expect(new Set(data as Float32Array).size).toBeGreaterThan(1);
  });

  it('builds fewer layers if told, and says that it multiplies', async () => {
    const { rows, builtLayers, isScaled, notes, weightBytes } = await measure({ layers: 1 });
    expect({ builtLayers, isScaled }).toEqual({ builtLayers: 1, isScaled: true });
    expect(notes[0]).toMatch(/^1 of 3 layers were built and run: .* multiplied by 3\.00/);
    expect(rows[0]?.cacheBytes).toBe(2 * 3 * 2 * 16 * 4 * 46);
    expect(weightBytes).toBeLessThan((await measure()).weightBytes);
  });

  it.each([
    ['fp16', 2],
    ['q4', 4],
  ] as const)('runs in %s', async (dtype, cacheElementBytes) => {
    const { runtime, logits } = watchedRuntime();
    const { rows } = await measure({ runtime, dtype, rounds: 1, budgets: ['c0.9'] });
    expect(rows[0]?.cacheBytes).toBe(2 * 3 * 2 * 16 * cacheElementBytes * 46);
    expect(rows[1]?.promptTokens).toBeLessThan(46);
    expect(logits.every(({ data }) => (data as Float32Array).every(Number.isFinite))).toBe(true);
  });

  it('tells how far it is', async () => {
    const seen: SpeedProgress[] = [];
    await measure({ onProgress: (progress) => seen.push(progress) });
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual([
      'features',
      'weights',
      'load',
      'warmUp',
      'measure',
    ]);
    for (const { done, total } of seen) expect(done).toBeLessThan(total);
  });

  it('refuses what it cannot measure', async () => {
    await expect(measure({ layers: 4 })).rejects.toThrow('Small has 3, got 4');
    await expect(measure({ budgets: ['40'] })).rejects.toThrow("'40' keeps all 40 vision tokens of Small");
    await expect(measure({ budgets: ['4', '4'] })).rejects.toThrow('named only once');
    await expect(measure({ budgets: ['many'] })).rejects.toMatchObject({ code: 'MMTOK_INVALID_BUDGET' });
    await expect(measure({ rounds: 0 })).rejects.toThrow('rounds: expected at least 1');
    await expect(measure({ dims: { ...dims, layers: 1e6, intermediate: 1e6 } })).rejects.toThrow(
      /1000000 layers of Small in fp32 take .* GB, and .* has .* GB free; build fewer, e\.g\. --layers \d+/,
    );
  });
});

describe('dimensions', () => {
  // Of the language models as published, without tables of embeddings that are not tied to the head.
  it.each([
    ['llava-1.5-7b', 6.6],
    ['llava-1.5-13b', 12.9],
    ['llava-next-7b', 6.6],
    ['llava-next-13b', 12.9],
    ['qwen2.5-vl-3b', 3.09],
    ['qwen2.5-vl-7b', 7.07],
    ['smolvlm-256m', 0.135],
    ['smolvlm-500m', 0.362],
    ['smolvlm-2.2b', 1.7],
    ['llava-onevision-0.5b', 0.494],
    ['qwen2-vl-2b', 1.5],
    ['idefics3-8b', 7.5],
    ['paligemma-3b', 2.5],
    ['phi-3-vision', 3.7],
    ['janus-pro-1b', 1.4],
  ])('of %s make %d billion weights', (name, billions) => {
    const found = findModelDims(name);
    const { perLayer, head } = parameterCounts(found);
    expect((found.layers * perLayer + head) / 1e9).toBeCloseTo(billions, billions < 1 ? 2 : 1);
    expect(parseModelDims(found)).toEqual(found);
  });

  it('are all in that table', () => {
    expect(Object.keys(modelDims)).toHaveLength(15);
  });

  // Of the encoders as published, without positions and, for CLIP, the last layer.
  it.each([
    ['llava-1.5-7b', 'CLIP-L/14-336', 576],
    ['llava-next-7b', 'CLIP-L/14-336', 2880],
    ['smolvlm-256m', 'SigLIP-B/16-512', 1088],
    ['smolvlm-2.2b', 'SigLIP-SO400M/14-384', 1377],
    ['idefics3-8b', 'SigLIP-SO400M/14-364', 2873],
    ['llava-onevision-0.5b', 'SigLIP-SO400M/14-384', 3645],
    ['qwen2.5-vl-7b', 'Qwen2.5-VL tower', 2048],
    ['janus-pro-1b', 'SigLIP-L/16-384', 576],
  ])('of %s begin with %s and %d vision tokens', (name, encoder, visionTokens) => {
    expect(findModelDims(name)).toMatchObject({ visionTokens, encoder: { title: encoder } });
  });

  it('take pictures of other sizes where the encoder does', () => {
    const qwen = findModelDims('qwen2.5-vl-3b');
    expect(atPicture(qwen, 896, 672)).toMatchObject({ visionTokens: 768, encoder: { grid: [48, 64] } });
    expect(parseModelDims(atPicture(qwen, 896, 672)).visionWidth).toBe(5120);
    expect(() => atPicture(qwen, 900, 700)).toThrow('multiples of 112 pixels, got 900x700; try 896x672');
    expect(() => atPicture(findModelDims('llava-1.5-7b'), 336, 336)).toThrow('pictures of one size');
    expect(() => atPicture(dims, 336, 336)).toThrow('Small has no encoder');
  });

  it('are checked', () => {
    expect(() => parseModelDims({ ...tiled, visionTokens: 21 })).toThrow(
      'what the tiles of the encoder become',
    );
    expect(() => parseModelDims({ ...tiled, visionWidth: 16 })).toThrow('width of the encoder times merge²');
    expect(() => findModelDims('gpt')).toThrow("there are no dimensions 'gpt'; there are llava-1.5-7b");
    expect(() => parseModelDims({ ...dims, heads: 3 })).toThrow('expected heads to be a multiple');
    expect(() => parseModelDims({ title: 'x' })).toThrow(/hidden: /);
  });
});

describe('costs of a first token', () => {
  it('count each multiplication of a small model', () => {
    const { encoder, prefill } = firstTokenCosts(tiled, 6);
    // Per patch: embedding, four layers of projections and gated halves, and attention, in windows of 4 and among 16.
    const perPatch = 12 * 16 + 4 * (4 * 16 ** 2 + 3 * 16 * 24) + 2 * 16 * (2 * 16 + 2 * 4);
    const perToken = 64 * 32 + 32 * 64;
    expect(encoder).toBe(5 * (16 * perPatch + 4 * perToken));
    const { perLayer, head } = parameterCounts(tiled);
    expect(prefill).toBe(3 * (perLayer * 26 + 4 * 16 * 26 ** 2) + head);
  });

  it('bound what pruning after the encoder can win', () => {
    const without = firstTokenCosts(dims, 6);
    expect(without).toMatchObject({ encoder: 0, encoderShare: 0 });
    const smol = firstTokenCosts(findModelDims('smolvlm-256m'), 64);
    const llava = firstTokenCosts(findModelDims('llava-1.5-7b'), 64);
    expect(smol.encoderShare).toBeGreaterThan(0.9);
    expect(smol.mostByTokens).toBeLessThan(1.1);
    expect(llava.encoderShare).toBeLessThan(0.1);
    expect(llava.mostByTokens).toBeGreaterThan(4);
    const few = firstTokenCosts(findModelDims('smolvlm-256m'), 64, 5);
    expect(few.encoder / smol.encoder).toBeCloseTo(5 / 17, 10);
  });
});
