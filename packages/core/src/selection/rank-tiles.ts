// Which tiles of an image are worth encoding: those that hold detail which the overview lost, where the question looks.

import * as z from 'zod';
import { InvalidTensorError } from '../errors.js';
import { parseOptions } from '../internal/parse-options.js';

/** `[rows, columns]`. */
export type Grid = readonly [rows: number, columns: number];

/** What {@link rankTiles} judges the tiles of one image by. */
export interface TileRanking {
  /** How the image is cut: tile (r, c) covers that part of it. */
  readonly grid: Grid;
  /** The grid of the overview's vision tokens. */
  readonly overview: Grid;
  /** For each overview token, how relevant it is to the question, from 0 to 1. @default all alike */
  readonly relevance?: ArrayLike<number> | undefined;
  /** For each overview token, the detail that the overview lost there, ≥ 0, as {@link lostDetail} measures it. */
  readonly detail: ArrayLike<number>;
  /**
   * How much the question decides: detail under the most relevant token counts e^focus times as much as under the least
   * relevant one, as in `visionCoverage({ focus })`. @default 4
   */
  readonly focus?: number | undefined;
}

/** The tiles of an image by worth. */
export interface RankedTiles {
  /** Tiles, the most worth encoding first; ties go to the lowest index. Tile (r, c) is r · columns + c. */
  readonly order: readonly number[];
  /** The worth of each tile, by index. */
  readonly worth: readonly number[];
}

const grid = z.tuple([z.int().positive(), z.int().positive()]);
const list = z.custom<ArrayLike<number>>(
  (value) => Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView)),
  'expected a list of numbers',
);
const schema = z.strictObject({
  grid,
  overview: grid,
  relevance: list.optional(),
  detail: list,
  focus: z.number().nonnegative().finite().default(4),
}) satisfies z.ZodType<TileRanking>;

/**
 * Ranks the tiles of an image by what encoding them adds to the overview: the sum, over the part of the overview that a tile
 * covers, of lost detail times e^(focus · relevance). Idea C of the design; not part of the paper.
 * @throws InvalidOptionsError, InvalidTensorError for lists of the wrong length and for numbers below 0 or not finite.
 * @example
 * rankTiles({ grid: [1, 2], overview: [1, 2], detail: [0, 1] }).order; // [1, 0]: the left half is flat
 */
export function rankTiles(options: TileRanking): RankedTiles {
  const given = parseOptions('options of rankTiles', schema, options);
  const [rows, columns] = given.grid;
  const [height, width] = given.overview;
  const tokens = height * width;
  const detail = checked('detail', given.detail, tokens);
  const relevance = given.relevance && checked('relevance', given.relevance, tokens);
  const value = detail.map((lost, token) => lost * Math.exp(given.focus * (relevance?.[token] ?? 0)));
  const worth = Array.from({ length: rows * columns }, (_, tile) => {
    const top = (Math.floor(tile / columns) * height) / rows;
    const left = ((tile % columns) * width) / columns;
    return within(value, width, [top, top + height / rows], [left, left + width / columns]);
  });
  const order = worth
    .map((_, tile) => tile)
    .sort((a, b) => (worth[b] as number) - (worth[a] as number) || a - b);
  return { order, worth };
}

/** The sum of cells in a rectangle; cells that it covers in part count in part. */
function within(
  cells: readonly number[],
  width: number,
  [top, bottom]: readonly [number, number],
  [left, right]: readonly [number, number],
): number {
  let sum = 0;
  for (let row = Math.floor(top); row < bottom; row++) {
    const high = Math.min(row + 1, bottom) - Math.max(row, top);
    for (let column = Math.floor(left); column < right; column++) {
      const wide = Math.min(column + 1, right) - Math.max(column, left);
      sum += (cells[row * width + column] ?? 0) * high * wide;
    }
  }
  return sum;
}

function checked(name: string, values: ArrayLike<number>, count: number): number[] {
  if (values.length !== count) {
    throw new InvalidTensorError(
      name,
      `has ${values.length} numbers, expected one for each of ${count} tokens`,
    );
  }
  return Array.from(values, (value) => {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    throw new InvalidTensorError(name, `has ${String(value)}, expected finite numbers from 0`);
  });
}

/** The pixels of an image and of its tiles. */
export interface TilePixels {
  /** The overview's pixels, `[channels, height, width]` of its own size. */
  readonly overview: Float32Array;
  /** `[height, width]` of the overview. @default that of a tile */
  readonly overviewSize?: Grid | undefined;
  /** The pixels of all tiles of the grid, row by row: `[tiles, channels, height, width]`. */
  readonly tiles: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** How the image is cut. */
  readonly grid: Grid;
  /** The grid of the overview's vision tokens. */
  readonly cells: Grid;
}

/** Every other pixel each way is enough to tell detail. */
const STRIDE = 2;

/**
 * The detail that an overview lost, for each of its vision tokens: the mean squared difference between the tiles' pixels
 * and the overview's, enlarged bilinearly. 0 where the image is flat, however bright.
 * @returns one number per cell, row by row.
 */
export function lostDetail({
  overview,
  tiles,
  channels,
  height,
  width,
  grid,
  cells,
  overviewSize: [tall, wide] = [height, width],
}: TilePixels): Float32Array {
  const [rows, columns] = grid;
  const [cellRows, cellColumns] = cells;
  const expected = rows * columns * channels * height * width;
  if (tiles.length !== expected || overview.length !== channels * tall * wide) {
    throw new InvalidTensorError(
      'tiles',
      `have ${tiles.length} and the overview ${overview.length} numbers, expected ${expected} and ${channels * tall * wide}`,
    );
  }
  const plane = height * width;
  const sums = new Float64Array(cellRows * cellColumns);
  const counts = new Float64Array(cellRows * cellColumns);
  const steps = (length: number): number => Math.max(1, Math.min(STRIDE, length));
  for (let tile = 0; tile < rows * columns; tile++) {
    const row = Math.floor(tile / columns);
    const column = tile % columns;
    for (let y = 0; y < height; y += steps(height)) {
      const v = (row + (y + 0.5) / height) / rows;
      const fromTop = clamp(v * tall - 0.5, tall - 1);
      const y0 = Math.floor(fromTop);
      const y1 = Math.min(y0 + 1, tall - 1);
      const fy = fromTop - y0;
      for (let x = 0; x < width; x += steps(width)) {
        const u = (column + (x + 0.5) / width) / columns;
        const fromLeft = clamp(u * wide - 0.5, wide - 1);
        const x0 = Math.floor(fromLeft);
        const x1 = Math.min(x0 + 1, wide - 1);
        const fx = fromLeft - x0;
        let squares = 0;
        for (let channel = 0; channel < channels; channel++) {
          const at = channel * tall * wide;
          const upper = mix(overview[at + y0 * wide + x0], overview[at + y0 * wide + x1], fx);
          const lower = mix(overview[at + y1 * wide + x0], overview[at + y1 * wide + x1], fx);
          const shown = tiles[(tile * channels + channel) * plane + y * width + x] as number;
          squares += (shown - mix(upper, lower, fy)) ** 2;
        }
        const cell = Math.floor(v * cellRows) * cellColumns + Math.floor(u * cellColumns);
        sums[cell] = (sums[cell] as number) + squares / channels;
        counts[cell] = (counts[cell] as number) + 1;
      }
    }
  }
  return Float32Array.from(sums, (sum, cell) => sum / Math.max(1, counts[cell] as number));
}

function clamp(value: number, highest: number): number {
  return Math.min(Math.max(value, 0), highest);
}

function mix(a: number | undefined, b: number | undefined, share: number): number {
  return (a as number) + ((b as number) - (a as number)) * share;
}
