import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  type ConvolutionalEncoder,
  lastMap,
  placedBlocks,
  type TowerBlock,
  towerCost,
} from './convolution.js';
import { parseModelDims } from './dims.js';
import { RandomEncoder } from './encoder.js';
import type { SpeedRuntime, SpeedTensor } from './runtime.js';
import type { SpeedDtype } from './sketch.js';

const library = ort as unknown as SpeedRuntime;

/** A first convolution that halves a side of 8, then the given blocks. */
const tower = (...blocks: readonly TowerBlock[]): ConvolutionalEncoder => ({
  title: 'Tower',
  imageSide: 8,
  tiles: 1,
  stages: [[{ ops: [{ op: 'conv', channels: 8, kernel: 3, stride: 2, gelu: true }] }], blocks],
  projector: [],
});

/** Every kind of operation. */
const varied: ConvolutionalEncoder = {
  ...tower(
    { ops: [{ op: 'attention', heads: 2, window: 2 }], residual: true, repeat: 2 },
    { ops: [{ op: 'channelAttention', groups: 2 }], residual: true },
    { ops: [{ op: 'conv', channels: 16, kernel: 5, stride: 2, depthwise: true }] },
    { ops: [{ op: 'sharedAttention', heads: 3, headDim: 8, keyStride: 2 }], residual: true },
    {
      ops: [
        { op: 'join', stage: 0 },
        { op: 'conv', channels: 12, kernel: 1 },
        { op: 'pool', side: 2 },
      ],
    },
  ),
  tiles: 2,
};

/** Encodes two tiles and returns the features. */
async function featuresOf(encoder: ConvolutionalEncoder, dtype: SpeedDtype = 'fp32'): Promise<SpeedTensor> {
  let features: SpeedTensor | undefined;
  const create: SpeedRuntime['InferenceSession']['create'] = async (path, options) => {
    const session = await library.InferenceSession.create(path, options);
    return {
      async run(feeds) {
        const outputs = await session.run(feeds);
        features = outputs.image_features;
        return outputs;
      },
      release: () => session.release(),
    };
  };
  const runtime = { InferenceSession: { create }, Tensor: library.Tensor };
  const built = await RandomEncoder.build({
    runtime,
    encoder,
    layers: 0,
    dtype,
    hidden: 10,
    device: 'cpu',
    onWritten: () => undefined,
  });
  try {
    expect(await built.encode(encoder.tiles)).toBeGreaterThan(0);
    return features as SpeedTensor;
  } finally {
    await built.dispose();
  }
}

describe('a convolutional tower', () => {
  it('computes the shapes of its maps', () => {
    const sides = placedBlocks(varied).map(({ steps }) =>
      steps.map(({ after }) => [after.channels, after.side]),
    );
    expect(sides).toEqual([
      [[8, 4]],
      [[8, 4]],
      [[8, 4]],
      [[8, 4]],
      [[16, 2]],
      [[16, 2]],
      [
        [24, 4],
        [12, 4],
        [12, 2],
      ],
    ]);
    expect(lastMap(varied)).toEqual({ channels: 12, side: 2 });
  });

  it('counts the multiplications of its operations', () => {
    const first = 4 ** 2 * 8 * 3 * 9;
    const windows = 2 * (16 * 8 * (4 * 8 + 2 * 4));
    const channels = 16 * 8 * (4 * 8 + 2 * 4);
    const depthwise = 4 * 16 * 25;
    // Queries and outputs, mixing, and one key and value of a map of one position.
    const shared = 2 * 4 * 24 * 16 + 2 * 4 * 24 * 1 + 2 * (16 * 8 + 9 * 16);
    const joined = 16 * 12 * 24;
    expect(towerCost(varied)).toBe(first + windows + channels + depthwise + shared + joined);
  });

  it.each(['fp32', 'fp16', 'q4'] as const)('runs in %s', async (dtype) => {
    const { data, dims } = await featuresOf(varied, dtype);
    expect(dims).toEqual([2, 4, 10]);
    expect((data as Float32Array).every(Number.isFinite)).toBe(true);
    expect(new Set(data as Float32Array).size).toBeGreaterThan(10);
  });

  it.each<[string, TowerBlock, TowerBlock]>([
    [
      'a window that covers the whole map changes nothing',
      { ops: [{ op: 'attention', heads: 2, window: 4 }] },
      { ops: [{ op: 'attention', heads: 2 }] },
    ],
    [
      'a single head shares nothing',
      { ops: [{ op: 'sharedAttention', heads: 1, headDim: 8, keyStride: 1 }] },
      { ops: [{ op: 'attention', heads: 1 }] },
    ],
  ])('%s', async (_, one, other) => {
    const [a, b] = [await featuresOf(tower(one)), await featuresOf(tower(other))];
    const [left, right] = [a.data as Float32Array, b.data as Float32Array];
    expect(left.length).toBe(160);
    for (const [at, value] of left.entries()) expect(value).toBeCloseTo(right[at] as number, 4);
  });

  it('is checked', () => {
    const dims = {
      title: 'Model',
      hidden: 16,
      layers: 1,
      heads: 1,
      keyValueHeads: 1,
      headDim: 16,
      intermediate: 32,
      vocabulary: 10,
      attentionBias: false,
      visionTokens: 8,
      visionWidth: 12,
      keep: ['2'],
      encoder: varied,
    };
    expect(parseModelDims(dims)).toEqual(dims);
    const wrong = (blocks: unknown): unknown => ({ ...dims, encoder: { ...varied, stages: [blocks] } });
    expect(() => parseModelDims(wrong([{ ops: [{ op: 'conv', channels: 4, kernel: 2 }] }]))).toThrow(
      'expected an odd number',
    );
    expect(() => parseModelDims(wrong([{ ops: [{ op: 'join', stage: 0 }] }]))).toThrow('an earlier stage');
    expect(() => parseModelDims(wrong([{ ops: [{ op: 'mystery' }] }]))).toThrow(/encoder/);
  });
});
