import type { ImageReport } from '@mmtok/transformers';
import { describe, expect, it } from 'vitest';
import { seenViews } from './seen-views.js';

const image = (tiles: readonly ImageReport['tiles'][number][]): ImageReport => ({
  batchIndex: 0,
  image: 0,
  reason: 'pruned',
  visionTokens: 4,
  keptTokens: 1,
  indices: [2],
  tiles,
  selections: [],
});
const tile = { visionTokens: 4, indices: [2], grid: [2, 2] } as const;
const picture = { data: new Uint8Array(12), width: 2, height: 2 };
/** Two tiles of 1 × 2 pixels: the first all 0, the second all 1 before normalisation by mean 0.5 and std 0.25. */
const pixels = {
  dims: [1, 2, 3, 1, 2],
  data: Float32Array.from([...Array(6).fill(-2), ...Array(6).fill(2)]),
};
const processing = { image_mean: [0.5, 0.5, 0.5], image_std: 0.25 };

describe('seenViews', () => {
  it('draws on the original where the encoder saw all of it', () => {
    expect(seenViews([image([tile])], [picture], undefined, processing)).toEqual([
      [{ picture, rows: 2, columns: 2, kept: [2] }],
    ]);
  });

  it('recovers tiles from the pixels', () => {
    const [views = []] = seenViews([image([tile, tile])], [picture], pixels, processing);
    expect(views.map((view) => view.picture)).toEqual([
      { data: new Uint8Array(6).fill(0), width: 2, height: 1 },
      { data: new Uint8Array(6).fill(255), width: 2, height: 1 },
    ]);
  });

  it('recovers what cropping left', () => {
    const one = { dims: [1, 3, 1, 2], data: pixels.data.slice(6) };
    const [views = []] = seenViews([image([tile])], [picture], one, { ...processing, do_center_crop: true });
    expect(views[0]?.picture).toEqual({ data: new Uint8Array(6).fill(255), width: 2, height: 1 });
  });

  it('gives no views where tokens form no grid, or the pixels are laid out otherwise', () => {
    const { grid: _, ...gridless } = tile;
    expect(seenViews([image([gridless])], [picture], undefined, processing)).toEqual([[]]);
    const patches = { dims: [16, 1176], data: new Float32Array(16 * 1176) };
    expect(seenViews([image([tile, tile])], [picture], patches, processing)).toEqual([[]]);
  });
});
