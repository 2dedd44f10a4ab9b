import { describe, expect, it } from 'vitest';
import { imageGrids, tilingOf, tokenMarks } from './token-marks.js';

const grid = [1, 2] as const;
const tile = (row: number, column: number) => ({ grid, imagePart: [row, column] as const });
const overview = { grid: [1, 1] as const, imagePart: 'overview' as const };

describe('tilingOf', () => {
  it('reads the tile grid, and which tiles were skipped', () => {
    const tiles = [tile(0, 0), { ...tile(0, 1), skipped: true as const }, tile(1, 0), tile(1, 1), overview];
    expect(tilingOf(tiles)).toEqual({ tiles: [2, 2], grid, overview: [1, 1], skipped: [1] });
  });

  it.each([
    ['no tile', []],
    ['only an overview', [overview]],
    ['no overview', [tile(0, 0), tile(0, 1)]],
    ['the overview first', [overview, tile(0, 0)]],
    ['a missing tile', [tile(0, 0), tile(0, 1), tile(1, 1), overview]],
    ['another order', [tile(0, 1), tile(0, 0), overview]],
    ['different grids', [tile(0, 0), { ...tile(0, 1), grid: [2, 1] as const }, overview]],
    ['no grids', [{ imagePart: [0, 0] as const }, overview]],
    ['no places', [{ grid }, { grid }]],
  ])('returns undefined for %s', (_, tiles) => {
    expect(tilingOf(tiles)).toBeUndefined();
  });
});

describe('imageGrids', () => {
  it('places the tokens of tiles in one grid, and those of the overview in another', () => {
    const tiling = { tiles: [2, 2], grid: [1, 2], overview: [1, 1], skipped: [1] } as const;
    // Tiles hold tokens 0-1, 2-3, 4-5 and 6-7; the overview is token 8.
    expect(imageGrids(tiling, [1, 4, 7, 8])).toEqual([
      { rows: 2, columns: 4, kept: [1, 4, 7], unencoded: [2, 3] },
      { rows: 1, columns: 1, kept: [0] },
    ]);
    const tall = { tiles: [1, 2], grid: [2, 1], overview: [1, 1] } as const;
    // The tokens of a tile are above each other, those of the next one beside them.
    expect(imageGrids(tall, [1, 2])[0]).toMatchObject({ rows: 2, columns: 2, kept: [2, 1] });
  });
});

describe('tokenMarks', () => {
  it('dims dropped patches, and those that were not encoded even more', () => {
    const marks = tokenMarks({ rows: 1, columns: 3, kept: [0], unencoded: [2] }, 30, 10);
    expect(marks).toContain('<path d="M10 0H20V10H10Z" fill="#0d1117" fill-opacity="0.66"');
    expect(marks).toContain('<path d="M20 0H30V10H20Z" fill="#0d1117" fill-opacity="0.9"');
    expect(tokenMarks({ rows: 1, columns: 1, kept: [0] }, 9, 9)).not.toContain('0.9"');
  });
});
