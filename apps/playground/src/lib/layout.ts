// Where vision tokens lie on the image. A model that sees the image whole has one token per cell of a grid. A model that cuts
// it into tiles has a grid in each, and often an overview of the whole image beside them.

import type { Grid, TilePart } from './types.js';

/** The tokens that lie on the image, as cells of one grid. */
export interface Layout {
  readonly grid: Grid;
  /** The token of each cell, row by row. */
  readonly tokens: readonly number[];
  /** The cell of each token; undefined for tokens that lie elsewhere. */
  readonly cells: readonly (number | undefined)[];
  /** How the image is cut into tiles; `[1, 1]` for a model that sees it whole. */
  readonly tileGrid: Grid;
  /** Tiles that were not encoded, numbered row by row. */
  readonly skippedTiles: readonly number[];
}

/** The layout of the tiles over the whole image; undefined where they do not tell their places. */
export function layoutOf(tiles: readonly TilePart[]): Layout | undefined {
  const onImage = tiles.filter(isOnImage(tiles));
  const [first] = onImage;
  if (first?.grid === undefined) return undefined;
  const [rows, columns] = first.grid;
  const places = onImage.map(({ imagePart }) => (Array.isArray(imagePart) ? imagePart : [0, 0]) as Grid);
  const tileRows = Math.max(...places.map(([row]) => row)) + 1;
  const tileColumns = Math.max(...places.map(([, column]) => column)) + 1;
  const isEven = onImage.every(({ grid }) => grid?.[0] === rows && grid[1] === columns);
  const isFull = new Set(places.map(String)).size === tileRows * tileColumns;
  if (!isEven || !isFull) return undefined;
  const grid: Grid = [tileRows * rows, tileColumns * columns];
  const tokens = new Array<number>(grid[0] * grid[1]);
  const cells: (number | undefined)[] = [];
  onImage.forEach(({ start }, tile) => {
    const [tileRow, tileColumn] = places[tile] as Grid;
    for (let at = 0; at < rows * columns; at++) {
      const row = tileRow * rows + Math.floor(at / columns);
      const cell = row * grid[1] + tileColumn * columns + (at % columns);
      tokens[cell] = start + at;
      cells[start + at] = cell;
    }
  });
  const skippedTiles = onImage.flatMap(({ isSkipped }, tile) => {
    const [row, column] = places[tile] as Grid;
    return isSkipped ? [row * tileColumns + column] : [];
  });
  return { grid, tokens, cells, tileGrid: [tileRows, tileColumns], skippedTiles };
}

/** An image that is not cut is its only tile; the overview of one that is lies beside the image. */
function isOnImage(tiles: readonly TilePart[]): (tile: TilePart) => boolean {
  return ({ imagePart }) => tiles.length === 1 || Array.isArray(imagePart);
}

/** The tiles that a layout does not show on the image. */
export function tilesBeside(tiles: readonly TilePart[], layout: Layout | undefined): readonly TilePart[] {
  return tiles.filter(({ start }) => layout?.cells[start] === undefined);
}

/** Cells of the tokens that lie on the image. */
export function cellsOf(layout: Layout | undefined, tokens: readonly number[]): readonly number[] {
  return tokens.flatMap((token) => layout?.cells[token] ?? []);
}

/** The tile that a token belongs to. */
export function tileOf(token: number, tiles: readonly TilePart[]): TilePart | undefined {
  return tiles.find(({ start, visionTokens }) => token >= start && token < start + visionTokens);
}

/** Where a token lies, in words. */
export function placeOf(token: number, tiles: readonly TilePart[], layout: Layout | undefined): string {
  const cell = layout?.cells[token];
  if (layout !== undefined && cell !== undefined) {
    const { row, column } = rowAndColumn(cell, layout.grid);
    return `Row ${row}, column ${column}`;
  }
  const tile = tileOf(token, tiles);
  const { start = 0, grid, imagePart } = tile ?? {};
  const name =
    imagePart === 'overview' ? 'Overview' : `Tile ${tile === undefined ? 0 : tiles.indexOf(tile) + 1}`;
  if (grid === undefined) return `${name}, token ${token - start + 1}`;
  const { row, column } = rowAndColumn(token - start, grid);
  return `${name}, row ${row}, column ${column}`;
}

/** Counted from 1. */
const rowAndColumn = (
  cell: number,
  [, columns]: Grid,
): { readonly row: number; readonly column: number } => ({
  row: Math.floor(cell / columns) + 1,
  column: (cell % columns) + 1,
});
