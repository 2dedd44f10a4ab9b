import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { layOutCaption } from '../overlay/caption.js';
import { loadFont } from '../overlay/font.js';
import type { OverlayPanel } from './overlay.js';
import { renderOverlay } from './overlay.js';
import type { Picture } from './picture.js';

const solid = (width: number, height: number, value = 200): Picture => ({
  data: new Uint8Array(width * height * 3).fill(value),
  width,
  height,
});
const panel = (rows: number, columns: number, kept: readonly number[], picture: Picture): OverlayPanel => ({
  views: [{ picture, rows, columns, kept }],
  caption: [
    { text: 'What is it?', style: 'question' },
    { text: 'gray', style: 'answer' },
  ],
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

  it('draws any grid, keeps the shape of pictures, and sets panels side by side', async () => {
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

  it('lays tiles out as the picture was cut', async () => {
    const views = Array.from({ length: 5 }, () => ({
      picture: solid(10, 10),
      rows: 1,
      columns: 1,
      kept: [0],
    }));
    const heightOf = async (viewColumns: number) =>
      (await pixelsOf(await renderOverlay([{ views, viewColumns, caption: [] }], { panelWidth: 204 })))
        .height;
    // Two beside each other make three rows of 100 pixels, five make one of 37.
    expect((await heightOf(2)) - (await heightOf(5))).toBe(3 * 100 + 2 * 4 - 37);
  });

  it.each([
    [2, 5000, 4 * 280],
    [5000, 2, 16],
    [1, 1_000_000, 4 * 280],
  ])('draws a picture of %d × %d pixels', async (width, height, drawn) => {
    const picture = solid(width, height);
    const png = await renderOverlay([{ ...panel(2, 2, [0], picture), caption: [] }], { panelWidth: 280 });
    expect((await pixelsOf(png)).height).toBe(24 + drawn + 12 + 24);
  });

  it('grows with the caption, which wraps', async () => {
    const long = { text: 'word '.repeat(60), style: 'question' } as const;
    const short = panel(1, 1, [0], solid(4, 4));
    const tall = await pixelsOf(await renderOverlay([{ ...short, caption: [long] }], { panelWidth: 200 }));
    const low = await pixelsOf(await renderOverlay([short], { panelWidth: 200 }));
    expect(tall.height).toBeGreaterThan(low.height + 200);
  });
});

describe('loadFont', () => {
  it('has outlines for Latin, Greek, Cyrillic and signs, so no font of the system is needed', async () => {
    const font = await loadFont();
    for (const text of ['What?', 'naïve', 'Ελλάδα', 'вопрос', '✓ →']) {
      expect(font.outlineOf(text, 0, 20, 20)).toMatch(/^M[\d.-]/);
      expect(font.widthOf(text, 20)).toBeGreaterThan(20);
    }
    expect(font.outlineOf('字', 0, 20, 20)).toBe(font.outlineOf('語', 0, 20, 20));
  });

  it('lays captions out within their width', async () => {
    const font = await loadFont();
    const lines = [{ text: 'one two three four five six', style: 'answer' }] as const;
    const narrow = layOutCaption(font, lines, 100, 18);
    const wide = layOutCaption(font, lines, 1000, 18);
    expect(narrow.height).toBeGreaterThan(2 * wide.height);
    expect(wide.draw(0, 0).match(/<path/g)).toHaveLength(1);
  });
});
