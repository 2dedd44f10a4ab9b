import { createReferenceBackend, selectTokens, visionCoverage } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { describe, expect, it } from 'vitest';
import { repair, standardize, topVarianceShare } from './standardize.js';

const N = 60;
const D = 8;
/** Features of a few clusters; `drown` scales up one dimension, as in Qwen2.5-VL before its merger. */
function grouped(drown: number) {
  const data = Float32Array.from({ length: N * D }, (_, at) => {
    const [row, column] = [Math.floor(at / D), at % D];
    const group = Math.floor(row / 10);
    const value = Math.sin(group * 1.7 + column * 2.3) + 0.05 * Math.sin(row * 3.1 + column);
    return column === 0 ? 40 * drown + drown * Math.sin(row * 0.37) : value;
  });
  return float32(data, [N, D]);
}

const groupsOf = async (features: ReturnType<typeof grouped>): Promise<number> => {
  const { indices } = await selectTokens({
    backend: createReferenceBackend(),
    vision: features,
    coverage: [visionCoverage({ temperature: 0.2 })],
    budget: { tokens: 6 },
  });
  return new Set(indices.map((index) => Math.floor(index / 10))).size;
};

describe('topVarianceShare', () => {
  it('distinguishes a degenerate geometry from a healthy one', () => {
    expect(topVarianceShare(grouped(1e5))).toBeGreaterThan(0.99);
    expect(topVarianceShare(grouped(0))).toBeLessThan(0.4);
    expect(topVarianceShare(float32(new Float32Array(12).fill(3), [4, 3]))).toBe(0);
  });
});

describe('standardize', () => {
  it('gives every dimension mean 0 and variance 1, and 0 to a constant one', () => {
    const { data } = standardize(float32(Float32Array.from([1, 5, 3, 5, 5, 5]), [3, 2]));
    const spread = Math.sqrt(8 / 3);
    expect(Array.from(data)).toEqual([-2 / spread, 0, 0, 0, 2 / spread, 0].map(Math.fround));
  });
});

describe('repair', () => {
  it('with auto repairs degenerate features, which then cover all groups', async () => {
    const degenerate = grouped(1e5);
    const { features, repaired } = repair(degenerate, 'auto');
    expect(repaired).toBe(true);
    expect(await groupsOf(features)).toBeGreaterThan(await groupsOf(degenerate));
  });

  it('with auto leaves healthy features unchanged', () => {
    const healthy = grouped(0);
    expect(repair(healthy, 'auto')).toEqual({ features: healthy, repaired: false });
    expect(repair(healthy, 'off').features).toBe(healthy);
    expect(repair(healthy, 'on').repaired).toBe(true);
  });
});
