import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lostDetail, rankTiles } from './rank-tiles.js';

describe('rankTiles', () => {
  it('prefers the tile in which the question finds something, at equal detail', () => {
    const overview = [4, 4] as const;
    const detail = new Array<number>(16).fill(1);
    const relevance = detail.map((_, token) => (token === 15 ? 1 : 0));
    expect(rankTiles({ grid: [2, 2], overview, detail, relevance }).order[0]).toBe(3);
  });

  it('never ranks a flat tile above one with detail, at equal relevance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.nat(15),
        (rows, columns, energy, place) => {
          const tiles = rows * columns;
          const textured = place % tiles;
          const overview = [rows * 2, columns * 2] as const;
          const detail = Array.from({ length: 4 * tiles }, (_, token) => {
            const row = Math.floor(token / (columns * 2) / 2);
            const column = Math.floor((token % (columns * 2)) / 2);
            return row * columns + column === textured ? energy : 0;
          });
          const { order, worth } = rankTiles({ grid: [rows, columns], overview, detail });
          expect(order[0]).toBe(textured);
          expect(order.slice(1).every((tile) => worth[tile] === 0)).toBe(true);
        },
      ),
    );
  });

  it('counts tokens that two tiles share in part', () => {
    const { worth } = rankTiles({ grid: [1, 2], overview: [1, 3], detail: [0, 2, 0] });
    expect(worth).toEqual([1, 1]);
  });

  it('loses nothing: the worth of all tiles is that of the whole overview', () => {
    const cells = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }));
    fc.assert(
      fc.property(
        cells,
        cells,
        fc.infiniteStream(fc.double({ min: 0, max: 9, noNaN: true })),
        (grid, overview, stream) => {
          const detail = Array.from(
            { length: overview[0] * overview[1] },
            () => stream.next().value as number,
          );
          const { order, worth } = rankTiles({ grid, overview, detail, focus: 0 });
          const total = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0);
          expect(total(worth)).toBeCloseTo(total(detail), 6);
          expect([...order].sort((a, b) => a - b)).toEqual(worth.map((_, tile) => tile));
        },
      ),
    );
  });

  it.each([
    [{ detail: [1] }],
    [{ detail: [1, Number.NaN] }],
    [{ detail: [1, -1] }],
    [{ detail: [1, 1], relevance: [1] }],
    [{ detail: [1, 1], grid: [0, 1] }],
    [{ detail: 'much' }],
    [{ detail: [1, 1], focus: Number.POSITIVE_INFINITY }],
  ])('refuses %j', (wrong) => {
    const options = { grid: [1, 1], overview: [1, 2], ...wrong } as unknown as Parameters<
      typeof rankTiles
    >[0];
    expect(() => rankTiles(options)).toThrow(/Invalid|Tensor/);
  });
});

describe('lostDetail', () => {
  const size = { channels: 1, height: 8, width: 8, grid: [2, 2], cells: [2, 2] } as const;

  it('is nothing in a flat tile, and the energy of the texture where there is one', () => {
    const overview = new Float32Array(64).fill(0.5);
    const tiles = new Float32Array(4 * 64).fill(0.5);
    // Stripes whose mean is the overview's value: all of them is lost.
    for (let y = 0; y < 8; y++)
      for (let x = 0; x < 8; x++) tiles[3 * 64 + y * 8 + x] = (y >> 1) % 2 === 0 ? 0 : 1;
    const detail = lostDetail({ ...size, overview, tiles });
    expect(Array.from(detail.slice(0, 3))).toEqual([0, 0, 0]);
    expect(detail[3]).toBeCloseTo(0.25, 6);
  });

  it('is nothing for a smooth slope, which enlarging brings back', () => {
    const slope = (u: number): number => u;
    const overview = Float32Array.from({ length: 64 }, (_, at) => slope(((at % 8) + 0.5) / 8));
    const tiles = Float32Array.from({ length: 256 }, (_, at) =>
      slope((((at >> 6) % 2) + ((at % 8) + 0.5) / 8) / 2),
    );
    const detail = lostDetail({ ...size, overview, tiles });
    // But for the border, beyond which the overview has no pixels.
    for (const lost of detail) expect(lost).toBeLessThan(2e-3);
  });

  it('is nothing for a smooth slope under an overview of another size than the tiles', () => {
    const overview = Float32Array.from({ length: 6 * 10 }, (_, at) => ((at % 10) + 0.5) / 10);
    const tiles = Float32Array.from({ length: 256 }, (_, at) => (((at >> 6) % 2) + ((at % 8) + 0.5) / 8) / 2);
    const detail = lostDetail({ ...size, overview, overviewSize: [6, 10], tiles, cells: [3, 5] });
    for (const lost of detail) expect(lost).toBeLessThan(2e-3);
  });

  it('refuses pixels of another size', () => {
    expect(() =>
      lostDetail({ ...size, overview: new Float32Array(3), tiles: new Float32Array(256) }),
    ).toThrow(/expected/);
  });
});
