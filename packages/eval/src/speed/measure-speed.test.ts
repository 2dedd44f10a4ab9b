import { createReferenceBackend } from '@mmtok/core';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { dims, tiled } from '../../test/small-dims.js';
import type { ConvolutionalEncoder } from './convolution.js';
import { type ModelDims, parameterCounts, type TransformerEncoder } from './dims.js';
import { measureSpeed, type SpeedOptions, type SpeedProgress } from './measure-speed.js';
import type { SpeedRuntime, SpeedTensor } from './runtime.js';

const library = ort as unknown as SpeedRuntime;

/** The runtime, and the lengths of all sequences that its sessions were given. */
function watchedRuntime(): {
  readonly runtime: SpeedRuntime;
  readonly lengths: number[];
  readonly logits: SpeedTensor[];
  /** Shapes of what encoders were given, and what they gave. */
  readonly patches: (readonly number[])[];
  readonly pixels: (readonly number[])[];
  readonly features: SpeedTensor[];
  readonly sessionOptions: unknown[];
} {
  const lengths: number[] = [];
  const logits: SpeedTensor[] = [];
  const patches: (readonly number[])[] = [];
  const pixels: (readonly number[])[] = [];
  const features: SpeedTensor[] = [];
  const sessionOptions: unknown[] = [];
  const create: SpeedRuntime['InferenceSession']['create'] = async (path, options) => {
    const session = await library.InferenceSession.create(path, options);
    sessionOptions.push(options);
    return {
      async run(feeds) {
        if (feeds.inputs_embeds) lengths.push(feeds.inputs_embeds.dims[1] as number);
        if (feeds.patches) patches.push(feeds.patches.dims);
        if (feeds.pixels) pixels.push(feeds.pixels.dims);
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
    pixels,
    features,
    sessionOptions,
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
  it('interleaves the full prompt with each budget', async () => {
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

  it('stops the threads of every session when its run ends, as in a loaded model', async () => {
    const { runtime, sessionOptions } = watchedRuntime();
    await measure({ runtime, rounds: 1 });
    expect(sessionOptions).toHaveLength(2);
    for (const options of sessionOptions) {
      expect(options).toMatchObject({ extra: { session: { force_spinning_stop: '1' } } });
    }
  });

  it('reports what was measured', async () => {
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
    const { layers, head } = parameterCounts(dims);
    expect(rest.parameters).toBe(layers + head);
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

  it('starts with the encoder, for all tiles and for some', async () => {
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
      /^with all tokens, the encoder takes \d+ % of the time to first token, .* at most \d+\.\d\d×/,
    );
    expect(weightBytes).toBeGreaterThan((await measure({ rounds: 1 })).weightBytes);
  });

  it('builds fewer encoder layers on request, in whole window patterns', async () => {
    const { patches, runtime } = watchedRuntime();
    const { notes, rows } = await measure({ runtime, dims: tiled, encoderLayers: 2, rounds: 1 });
    expect(notes[0]).toMatch(
      /^2 of 4 layers of the encoder .* multiplied by 1\.\d\d, the ratio of multiplications/,
    );
    expect(patches.length).toBeGreaterThan(0);
    expect(rows[0]?.encodeMs).toBeGreaterThan(0);
    await expect(measure({ dims: tiled, encoderLayers: 3 })).rejects.toThrow(
      'a multiple of 2, up to the 4 layers',
    );
    await expect(measure({ encoderLayers: 1 })).rejects.toThrow('have no encoder');
    await expect(measure({ dims: tiled, tiles: 5 })).rejects.toThrow('fewer than the 5 of Small');
  });

  it.each(['fp16', 'q4'] as const)(
    'runs an encoder with a class token and a block after the projector in %s',
    async (dtype) => {
      const encoder = {
        ...(tiled.encoder as TransformerEncoder),
        classToken: true,
        gated: false,
        window: undefined,
        gatedMerger: 48,
      };
      const { runtime, patches, features } = watchedRuntime();
      await measure({ runtime, dims: { ...tiled, encoder }, dtype, rounds: 1, decodeTokens: 1 });
      expect(patches[0]).toEqual([5, 17, 12]);
      const [{ data, dims: shape }] = features as [SpeedTensor];
      expect(shape).toEqual([5, 4, 64]);
      expect((data as Float32Array).every(Number.isFinite)).toBe(true);
      expect(new Set(data as Float32Array).size).toBeGreaterThan(1);
    },
  );

  it('starts with a convolutional tower, which is always built whole', async () => {
    const { runtime, pixels } = watchedRuntime();
    const encoder: ConvolutionalEncoder = {
      title: 'Tower',
      imageSide: 8,
      tiles: 2,
      stages: [[{ ops: [{ op: 'conv', channels: 6, kernel: 3, stride: 2, gelu: true }] }]],
      projector: [],
    };
    const towered = { ...dims, visionTokens: 32, visionWidth: 6, encoder };
    const { rows, builtEncoderLayers } = await measure({ runtime, dims: towered, rounds: 1 });
    expect(rows[0]).toMatchObject({ tiles: 2, visionTokens: 32 });
    expect(rows[0]?.encodeMs).toBeGreaterThan(0);
    expect(builtEncoderLayers).toBeUndefined();
    expect(pixels).toEqual([2, 2].map((count) => [count, 3, 8, 8]));
    await expect(measure({ dims: towered, encoderLayers: 1 })).rejects.toThrow('always built whole');
  });

  it('runs a decoder with ungated feed-forward blocks', async () => {
    const { runtime, logits } = watchedRuntime();
    const { parameters } = await measure({ runtime, dims: { ...dims, gated: false }, rounds: 1 });
    expect((await measure({ rounds: 1 })).parameters - parameters).toBe(3 * 64 * 96);
    expect(logits.every(({ data }) => (data as Float32Array).every(Number.isFinite))).toBe(true);
  });

  it.each(['fp16', 'q4'] as const)('runs blocks side by side in %s', async (dtype) => {
    const { runtime, logits } = watchedRuntime();
    const beside: ModelDims = { ...dims, gated: false, parallel: true, biased: true };
    await measure({ runtime, dims: beside, dtype, rounds: 1, decodeTokens: 1 });
    expect(logits.every(({ data }) => (data as Float32Array).every(Number.isFinite))).toBe(true);
    expect(new Set(logits.at(-1)?.data as Float32Array).size).toBeGreaterThan(1);
  });

  it.each(['fp32', 'fp16', 'q4'] as const)(
    'runs layers that mix tokens without attention in %s',
    async (dtype) => {
      const mixed: ModelDims = {
        ...dims,
        layers: 6,
        headNorms: true,
        outputGate: true,
        mixers: [
          { mixer: 'deltaNet', keyHeads: 2, valueHeads: 4, keyDim: 32, valueDim: 16, kernel: 4 },
          { mixer: 'attention' },
          { mixer: 'shortConv', kernel: 3 },
        ],
      };
      const { runtime, logits } = watchedRuntime();
      const { rows, isScaled } = await measure({ runtime, dims: mixed, dtype, layers: 3, rounds: 1 });
      expect(isScaled).toBe(true);
      expect(rows.map(({ promptTokens }) => promptTokens)).toEqual([46, 16, 10]);
      // Keys and values of all tokens; windows and states do not grow.
      const element = dtype === 'fp16' ? 2 : 4;
      const fixed = 4 * (192 * 3 + 4 * 32 * 16 + 64 * 2);
      expect(rows.map(({ cacheBytes }) => cacheBytes)).toEqual(
        [46, 16, 10].map((tokens) => 2 * (2 * 2 * 16 * element * tokens + fixed)),
      );
      for (const { data } of logits) expect((data as Float32Array).every(Number.isFinite)).toBe(true);
      expect(new Set(logits.at(-1)?.data as Float32Array).size).toBeGreaterThan(1);
      await expect(measure({ dims: mixed, layers: 4 })).rejects.toThrow(
        'a multiple of 3, up to the 6 layers',
      );
    },
  );

  it('averages squares of patches for encoders with pooling', async () => {
    const encoder: TransformerEncoder = {
      ...(tiled.encoder as TransformerEncoder),
      merge: 1,
      pool: 2,
      window: undefined,
    };
    const { runtime, features } = watchedRuntime();
    await measure({ runtime, dims: { ...tiled, visionWidth: 16, encoder }, rounds: 1, decodeTokens: 1 });
    const [{ data, dims: shape }] = features as [SpeedTensor];
    expect(shape).toEqual([5, 4, 64]);
    expect((data as Float32Array).every(Number.isFinite)).toBe(true);
  });

  it('builds fewer layers on request, and says that times are scaled', async () => {
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

  it('reports progress', async () => {
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

  it('rejects what it cannot measure', async () => {
    await expect(measure({ layers: 4 })).rejects.toThrow('expected at most the 3 layers of Small, got 4');
    await expect(measure({ budgets: ['40'] })).rejects.toThrow("'40' keeps all 40 vision tokens of Small");
    await expect(measure({ budgets: ['4', '4'] })).rejects.toThrow('named only once');
    await expect(measure({ budgets: ['many'] })).rejects.toMatchObject({ code: 'MMTOK_INVALID_BUDGET' });
    await expect(measure({ rounds: 0 })).rejects.toThrow('rounds: expected at least 1');
    await expect(measure({ dims: { ...dims, layers: 1e6, intermediate: 1e6 } })).rejects.toThrow(
      /1000000 layers of Small in fp32 take .* GB, and .* has .* GB free; build fewer, e\.g\. --layers \d+/,
    );
  });
});
