import { createReferenceBackend } from '@mmtok/core';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { measureSpeed, type SpeedOptions, type SpeedProgress } from './measure-speed.js';
import { findModelDims, type ModelDims, modelDims, parameterCounts, parseModelDims } from './model-dims.js';
import type { SpeedRuntime, SpeedTensor } from './speed-runtime.js';

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

const library = ort as unknown as SpeedRuntime;

/** The runtime, and the lengths of all sequences that its sessions were given. */
function watchedRuntime(): {
  readonly runtime: SpeedRuntime;
  readonly lengths: number[];
  readonly logits: SpeedTensor[];
} {
  const lengths: number[] = [];
  const logits: SpeedTensor[] = [];
  const create: SpeedRuntime['InferenceSession']['create'] = async (path, options) => {
    const session = await library.InferenceSession.create(path, options);
    return {
      async run(feeds) {
        if (feeds.inputs_embeds) lengths.push(feeds.inputs_embeds.dims[1] as number);
        const outputs = await session.run(feeds);
        if (outputs.logits) logits.push(outputs.logits);
        return outputs;
      },
      release: () => session.release(),
    };
  };
  return { runtime: { InferenceSession: { create }, Tensor: library.Tensor }, lengths, logits };
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
    ['llava-onevision-0.5b', 0.494],
  ])('of %s make %d billion weights', (name, billions) => {
    const found = findModelDims(name);
    const { perLayer, head } = parameterCounts(found);
    expect((found.layers * perLayer + head) / 1e9).toBeCloseTo(billions, billions < 1 ? 2 : 1);
    expect(parseModelDims(found)).toEqual(found);
  });

  it('are all in that table', () => {
    expect(Object.keys(modelDims)).toHaveLength(9);
  });

  it('are checked', () => {
    expect(() => findModelDims('gpt')).toThrow("there are no dimensions 'gpt'; there are llava-1.5-7b");
    expect(() => parseModelDims({ ...dims, heads: 3 })).toThrow('expected heads to be a multiple');
    expect(() => parseModelDims({ title: 'x' })).toThrow(/hidden: /);
  });
});
