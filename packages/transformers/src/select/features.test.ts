import { describe, expect, it } from 'vitest';
import { VisionFeaturesError } from '../errors.js';
import type { TensorLike } from '../internal/types.js';
import { paddingTokens, visionRows } from './features.js';

const grid = [24, 24] as const;
const rowsOf = (tokens: readonly number[]): number[] => [
  ...new Set(tokens.map((token) => Math.floor(token / 24))),
];
const columnsOf = (tokens: readonly number[]): number[] => [...new Set(tokens.map((token) => token % 24))];

describe('paddingTokens of LLaVA 1.5 (336 pixels, 24 × 24 patches)', () => {
  it('is empty for a square', () => {
    expect(paddingTokens({ width: 500, height: 500 }, grid, 336)).toEqual([]);
  });

  it('is whole rows above and below a wide image', () => {
    // A 640 × 480 image covers 252 rows of pixels, with 42 rows of padding above and 42 below: 3 patches each.
    expect(rowsOf(paddingTokens({ width: 640, height: 480 }, grid, 336))).toEqual([0, 1, 2, 21, 22, 23]);
  });

  it('is whole columns beside a tall image, without patches that show part of it', () => {
    // The same for 300 × 400. For 600 × 610, the padding is less than one patch.
    expect(columnsOf(paddingTokens({ width: 300, height: 400 }, grid, 336))).toEqual([0, 1, 2, 21, 22, 23]);
    expect(paddingTokens({ width: 600, height: 610 }, grid, 336)).toEqual([]);
  });

  it('leaves 144 candidates of a 4:1 image, as under the official rule', () => {
    expect(576 - paddingTokens({ width: 400, height: 100 }, grid, 336).length).toBe(144);
    expect(576 - paddingTokens({ width: 390, height: 100 }, grid, 336).length).toBe(192);
  });
});

describe("visionFeatures: 'auto'", () => {
  const tensor = (rows: number, width: number): TensorLike => {
    const data = Float32Array.from({ length: rows * width }, (_, at) => 1 + at);
    return { type: 'float32', data, dims: [1, rows, width], to: () => tensor(rows, width) };
  };
  const encoded = (width: number) => ({ projected: tensor(4, 6), others: { features: tensor(4, width) } });

  it('uses features from before the projector that are up to four times as wide as projected tokens', () => {
    expect(visionRows(encoded(24), 'auto', undefined)).toMatchObject({
      source: 'preProjector',
      features: { dims: [4, 24] },
    });
    expect(visionRows(encoded(25), 'auto', undefined)).toMatchObject({
      source: 'projected',
      features: { dims: [4, 6] },
    });
  });

  it('uses wider ones if they are requested, by option or by name, or cost nothing', () => {
    expect(visionRows(encoded(99), 'preProjector', undefined).source).toBe('preProjector');
    expect(visionRows(encoded(99), 'auto', 'features').source).toBe('preProjector');
    expect(visionRows(encoded(99), 'auto', undefined, true).source).toBe('preProjector');
  });

  it.each(['constructor', '__proto__', 'toString'])('%s is not an output', (name) => {
    expect(() => visionRows(encoded(6), 'auto', name)).toThrow(VisionFeaturesError);
  });
});
