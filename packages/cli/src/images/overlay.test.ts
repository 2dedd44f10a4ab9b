import type { ImageReport } from '@mmtok/transformers';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  type ImageProcessing,
  type OverlayPanel,
  overlayPanels,
  type PixelTensor,
  renderOverlay,
} from './overlay.js';
import type { RgbImage } from './read-image.js';

const solid = (width: number, height: number, value = 200): RgbImage => ({
  data: new Uint8Array(width * height * 3).fill(value),
  width,
  height,
});
const panel = (rows: number, columns: number, kept: readonly number[], image: RgbImage): OverlayPanel => ({
  views: [{ image, rows, columns, kept }],
});

async function pixelsOf(png: Buffer) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): number[] =>
    [...data.subarray((y * info.width + x) * info.channels)].slice(0, 3);
  return { width: info.width, height: info.height, at };
}

describe('renderOverlay', () => {
  it('dims dropped patches and frames kept ones', async () => {
    const { at } = await pixelsOf(await renderOverlay([panel(2, 2, [1], solid(8, 8))], { panelWidth: 200 }));
    const margin = 24;
    const [dropped] = at(margin + 50, margin + 50);
    const [kept] = at(margin + 150, margin + 50);
    const [red, green, blue] = at(margin + 101, margin + 50) as [number, number, number];
    expect(dropped).toBeLessThan(110);
    expect(Math.abs((kept as number) - 200)).toBeLessThan(8);
    expect(red).toBeGreaterThan(green);
    expect(green).toBeGreaterThan(blue + 80);
    expect(at(2, 2)).toEqual([255, 255, 255]);
  });

  it('draws any grid, preserves aspect ratios, and places panels side by side', async () => {
    const one = await pixelsOf(
      await renderOverlay([panel(3, 7, [0, 20], solid(70, 30))], { panelWidth: 280 }),
    );
    const four = await pixelsOf(
      await renderOverlay(
        Array.from({ length: 4 }, () => panel(1, 1, [0], solid(70, 30))),
        { panelWidth: 280, columns: 2 },
      ),
    );
    expect(one.width).toBe(280 + 2 * 24);
    expect(four.width).toBe(2 * 280 + 3 * 24);
    expect(four.height).toBe(24 + 2 * (one.height - 24));
    expect(one.height).toBeGreaterThan(24 + 120);
  });

  it('lays out tiles as the image was split', async () => {
    const views = Array.from({ length: 5 }, () => ({
      image: solid(10, 10),
      rows: 1,
      columns: 1,
      kept: [0],
    }));
    const heightOf = async (viewColumns: number) =>
      (await pixelsOf(await renderOverlay([{ views, viewColumns }], { panelWidth: 204 }))).height;
    // With two columns, there are three rows of 100 pixels; with five, one row of 37.
    expect((await heightOf(2)) - (await heightOf(5))).toBe(3 * 100 + 2 * 4 - 37);
  });

  it.each([
    [2, 5000, 4 * 280],
    [5000, 2, 16],
    [1, 1_000_000, 4 * 280],
  ])('draws an image of %d × %d pixels', async (width, height, drawn) => {
    const image = solid(width, height);
    const png = await renderOverlay([panel(2, 2, [0], image)], { panelWidth: 280 });
    expect((await pixelsOf(png)).height).toBe(24 + drawn + 24);
  });
});

const reportOf = (tiles: readonly ImageReport['tiles'][number][]): ImageReport => ({
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
const drawn = { data: new Uint8Array(12), width: 2, height: 2 };
/** Two tiles of 1 × 2 pixels: the first all 0, the second all 1 before normalization by mean 0.5 and std 0.25. */
const pixels = {
  dims: [1, 2, 3, 1, 2],
  data: Float32Array.from([...Array(6).fill(-2), ...Array(6).fill(2)]),
};
const processing = { image_mean: [0.5, 0.5, 0.5], image_std: 0.25 };
const viewsOf = (images: readonly ImageReport[], seen: PixelTensor | undefined, settings: ImageProcessing) =>
  overlayPanels(images, [drawn], { pixels: seen, processing: settings }).map(({ views }) => views);

describe('overlayPanels', () => {
  it('draws on the original image if the encoder saw all of it', () => {
    expect(viewsOf([reportOf([tile])], undefined, processing)).toEqual([
      [{ image: drawn, rows: 2, columns: 2, kept: [2] }],
    ]);
  });

  it('draws the tiles of an image on the whole image, and the overview below', async () => {
    const part = (row: number, column: number, indices: readonly number[], more = {}) => ({
      ...{ ...tile, indices, imagePart: [row, column] as const, ...more },
    });
    const report: ImageReport = {
      ...reportOf([
        part(0, 0, [3]),
        part(0, 1, [], { skipped: true as const }),
        { ...tile, indices: [1], imagePart: 'overview' },
      ]),
      indices: [3, 9],
    };
    const image = solid(80, 40);
    const panels = overlayPanels([report], [image], { pixels: undefined, processing: { do_pad: true } });
    expect(panels).toEqual([
      {
        views: [
          { image, rows: 2, columns: 4, kept: [5], unencoded: [2, 3, 6, 7] },
          { image, rows: 2, columns: 2, kept: [1] },
        ],
        viewColumns: 1,
      },
    ]);
    const { at, width, height } = await pixelsOf(await renderOverlay(panels, { panelWidth: 400 }));
    expect([width, height]).toEqual([400 + 2 * 24, 24 + 200 + 4 + 200 + 24]);
    const brightness = (x: number, y: number) => at(24 + x, 24 + y)[0] as number;
    // A kept, a dropped, and an unencoded patch of the tiles; then a dropped and a kept patch of the overview.
    expect(brightness(150, 150)).toBeGreaterThan(180);
    expect(brightness(50, 50)).toBeGreaterThan(60);
    expect(brightness(50, 50)).toBeLessThan(110);
    expect(brightness(350, 50)).toBeLessThan(45);
    expect(brightness(100, 204 + 50)).toBeLessThan(110);
    expect(brightness(300, 204 + 50)).toBeGreaterThan(180);
  });

  it('recovers tiles from the pixels', () => {
    const [views = []] = viewsOf([reportOf([tile, tile])], pixels, processing);
    expect(views.map((view) => view.image)).toEqual([
      { data: new Uint8Array(6).fill(0), width: 2, height: 1 },
      { data: new Uint8Array(6).fill(255), width: 2, height: 1 },
    ]);
  });

  it('recovers the cropped image', () => {
    const one = { dims: [1, 3, 1, 2], data: pixels.data.slice(6) };
    const [views = []] = viewsOf([reportOf([tile])], one, { ...processing, do_center_crop: true });
    expect(views[0]?.image).toEqual({ data: new Uint8Array(6).fill(255), width: 2, height: 1 });
  });

  it('returns no panel if tokens form no grid or the pixel layout is unknown', () => {
    const { grid: _, ...gridless } = tile;
    expect(viewsOf([reportOf([gridless])], undefined, processing)).toEqual([]);
    const patches = { dims: [16, 1176], data: new Float32Array(16 * 1176) };
    expect(viewsOf([reportOf([tile, tile])], patches, processing)).toEqual([]);
  });
});
