import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countUsefulTiles, lostDetail, rankTiles } from './rank-tiles.js';

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

  it('does not overflow with a strong focus', () => {
    const tiles = { grid: [1, 3], overview: [1, 3], relevance: [0.9, 1, 1], focus: 1e5 } as const;
    expect(rankTiles({ ...tiles, detail: [1, 1, 0] })).toEqual({ order: [1, 0, 2], worth: [0, 1, 0] });
  });

  it('divides the tokens that two tiles share', () => {
    const { worth } = rankTiles({ grid: [1, 2], overview: [1, 3], detail: [0, 2, 0] });
    expect(worth).toEqual([1, 1]);
  });

  it('divides the worth of the whole overview among the tiles', () => {
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
  ])('rejects %j', (wrong) => {
    const options = { grid: [1, 1], overview: [1, 2], ...wrong } as unknown as Parameters<
      typeof rankTiles
    >[0];
    expect(() => rankTiles(options)).toThrow(/Invalid|Tensor/);
  });
});

describe('countUsefulTiles', () => {
  const ranked = (worth: readonly number[]): { order: number[]; worth: readonly number[] } => ({
    order: worth.map((_, tile) => tile).sort((a, b) => (worth[b] ?? 0) - (worth[a] ?? 0)),
    worth,
  });

  it('counts few tiles if one stands out, and many if all are alike', () => {
    expect(countUsefulTiles(ranked([9, 1, 0.5, 1]), 0.2)).toBe(1);
    expect(countUsefulTiles(ranked([4, 2, 3, 3]), 0.2)).toBe(4);
    expect(countUsefulTiles(ranked([4, 2, 3, 3]), 0.75)).toBe(3);
  });

  it('counts no tile without worth', () => {
    expect(countUsefulTiles(ranked([]), 0.5)).toBe(0);
    expect(countUsefulTiles(ranked([0, 0]), 0.5)).toBe(0);
    expect(countUsefulTiles(ranked([0, 1, 0]), 1e-9)).toBe(1);
  });

  // No denormal numbers, which lose digits when they are scaled.
  const worths = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e9, noNaN: true })), {
    maxLength: 20,
  });
  const share = fc.double({ min: 1e-9, max: 1, noNaN: true });

  it('counts every tile that reaches the share, and no other', () => {
    fc.assert(
      fc.property(worths, share, (worth, least) => {
        const { order } = ranked(worth);
        const count = countUsefulTiles({ order, worth }, least);
        const best = Math.max(0, ...worth);
        const isUseful = (tile: number): boolean => {
          const own = worth[tile] as number;
          return own > 0 && own >= least * best;
        };
        expect(order.slice(0, count).every(isUseful)).toBe(true);
        expect(order.slice(count).some(isUseful)).toBe(false);
        expect(count > 0).toBe(best > 0);
      }),
    );
  });

  it('never counts more tiles for a larger share, and does not depend on the scale of worth', () => {
    fc.assert(
      fc.property(worths, share, share, (worth, one, other) => {
        const tiles = ranked(worth);
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        expect(countUsefulTiles(tiles, more)).toBeLessThanOrEqual(countUsefulTiles(tiles, less));
        const doubled = ranked(worth.map((value) => 2 * value));
        expect(countUsefulTiles(doubled, one)).toBe(countUsefulTiles(tiles, one));
      }),
    );
  });
});

describe('lostDetail', () => {
  const size = { channels: 1, height: 8, width: 8, grid: [2, 2], cells: [2, 2] } as const;
  /** Four tiles of an image that brightens from left to right. */
  const slopeTiles = (): Float32Array[] =>
    Array.from({ length: 4 }, (_, tile) =>
      Float32Array.from({ length: 64 }, (__, at) => ((tile % 2) + ((at % 8) + 0.5) / 8) / 2),
    );

  it('is 0 in a flat tile, and the amplitude of the texture in others', () => {
    const overview = new Float32Array(64).fill(0.5);
    const tiles = Array.from({ length: 4 }, () => new Float32Array(64).fill(0.5));
    // Stripes whose mean is the overview's value: they are lost completely.
    for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) tiles[3]![y * 8 + x] = (y >> 1) % 2 === 0 ? 0 : 1;
    const detail = lostDetail({ ...size, overview, tiles });
    expect(Array.from(detail.slice(0, 3))).toEqual([0, 0, 0]);
    expect(detail[3]).toBeCloseTo(0.5, 6);
  });

  it('is 0 for a smooth slope, which enlarging restores', () => {
    const overview = Float32Array.from({ length: 64 }, (_, at) => ((at % 8) + 0.5) / 8);
    const detail = lostDetail({ ...size, overview, tiles: slopeTiles() });
    // Except at the border, beyond which the overview has no pixels.
    for (const lost of detail) expect(lost).toBeLessThan(0.045);
  });

  it('is 0 for a smooth slope if the overview has another size than the tiles', () => {
    const overview = Float32Array.from({ length: 6 * 10 }, (_, at) => ((at % 10) + 0.5) / 10);
    const detail = lostDetail({
      ...size,
      overview,
      overviewSize: [6, 10],
      tiles: slopeTiles(),
      cells: [3, 5],
    });
    for (const lost of detail) expect(lost).toBeLessThan(0.045);
  });

  it.each([
    ['overview', { overview: new Float32Array(3) }],
    ['tiles', { tiles: [new Float32Array(64)] }],
    ['tiles', { tiles: [...slopeTiles().slice(1), new Float32Array(63)] }],
  ])('rejects %s of another size', (name, wrong) => {
    const pixels = { ...size, overview: new Float32Array(64), tiles: slopeTiles(), ...wrong };
    expect(() => lostDetail(pixels)).toThrow(new RegExp(`${name}.*expected`));
  });
});
