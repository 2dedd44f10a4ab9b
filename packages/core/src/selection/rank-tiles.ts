// Ranks the tiles of an image by how much encoding them adds: detail that the overview lost, where the question looks.

import * as z from 'zod';
import { InvalidTensorError, messageOf, parseOptions } from '../errors.js';

/** `[rows, columns]`. */
export type Grid = readonly [rows: number, columns: number];

/** Options of {@link rankTiles}. */
export interface TileRanking {
  /** The grid of tiles into which the image is cut. */
  readonly grid: Grid;
  /** The grid of the overview's vision tokens. */
  readonly overview: Grid;
  /** For each overview token, its relevance to the question, from 0 to 1. @default 0 for all */
  readonly relevance?: ArrayLike<number> | undefined;
  /** For each overview token, the detail that the overview lost there, ≥ 0, e.g. from {@link lostDetail}. */
  readonly detail: ArrayLike<number>;
  /**
   * How strongly the question decides: detail under the most relevant token counts e^focus times as much as under the least
   * relevant one, as in `visionCoverage({ focus })`.
   * @default 4
   */
  readonly focus?: number | undefined;
}

/** The tiles of an image, ranked. */
export interface RankedTiles {
  /** Tile indices, in the order in which to encode them; ties go to the lowest index. Tile (r, c) is r · columns + c. */
  readonly order: readonly number[];
  /** How much encoding each tile adds, by index. */
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
 * covers, of lost detail times e^(focus · (relevance − highest relevance)). Not part of the paper.
 * @throws InvalidOptionsError for options of the wrong form.
 * @throws InvalidTensorError for lists of the wrong length, and for numbers that are negative or not finite.
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
  // Relative to the highest relevance, so that a strong focus cannot overflow.
  const highest = Math.max(...(relevance ?? [0]));
  const value = detail.map(
    (lost, token) => lost * Math.exp(given.focus * ((relevance?.[token] ?? 0) - highest)),
  );
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

/**
 * The number of tiles whose worth is at least a share of the best tile's: few if the question is about one place, many if it is
 * about the whole image. Not part of the paper.
 * @param share in (0, 1].
 * @returns how many tiles of `order` to encode, at least 1; 0 if no tile is worth anything.
 */
export function countUsefulTiles({ order, worth }: RankedTiles, share: number): number {
  const worthOf = (place: number): number => worth[order[place] ?? -1] ?? 0;
  const least = share * worthOf(0);
  let count = 0;
  while (worthOf(count) > 0 && worthOf(count) >= least) count++;
  return count;
}

/** The sum of cells in a rectangle. Partly covered cells count in proportion. */
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
      `expected ${count} numbers, one per overview token, got ${values.length}`,
    );
  }
  return Array.from(values, (value) => {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    throw new InvalidTensorError(name, `expected finite numbers ≥ 0, got ${messageOf(value)}`);
  });
}

/** The pixels of an image and of its tiles. */
export interface TilePixels {
  /** The overview's pixels, `[channels, height, width]` with its own height and width. */
  readonly overview: Float32Array;
  /** `[height, width]` of the overview. @default that of a tile */
  readonly overviewSize?: Grid | undefined;
  /** The pixels of every tile of the grid, row by row, each `[channels, height, width]`. */
  readonly tiles: readonly Float32Array[];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** The grid of tiles into which the image is cut. */
  readonly grid: Grid;
  /** The grid of the overview's vision tokens. */
  readonly cells: Grid;
}

/** Every other pixel in each direction suffices to measure detail. */
const STRIDE = 2;

/**
 * The detail that an overview lost, for each of its vision tokens: the root mean square of the difference between the tiles' pixels
 * and the overview's, enlarged bilinearly. 0 where the image is flat, however bright. Not the mean square, in which a few
 * high-contrast tiles would outweigh the question.
 * @returns one number per cell, row by row.
 * @throws InvalidTensorError for pixels of the wrong size.
 */
export function lostDetail({
  overview,
  tiles,
  channels,
  height,
  width,
  grid: [rows, columns],
  cells: [cellRows, cellColumns],
  overviewSize: [tall, wide] = [height, width],
}: TilePixels): Float32Array {
  const size = channels * height * width;
  if (tiles.length !== rows * columns) {
    throw new InvalidTensorError(
      'tiles',
      `expected ${rows * columns} tiles for a grid of ${rows} × ${columns}, got ${tiles.length}`,
    );
  }
  for (const tile of tiles) expectPixels('tiles', tile, size);
  expectPixels('overview', overview, channels * tall * wide);
  const down = samples(rows, height, tall, cellRows);
  const across = samples(columns, width, wide, cellColumns);
  const sums = new Float64Array(cellRows * cellColumns);
  const counts = new Float64Array(cellRows * cellColumns);
  for (const [tile, pixels] of tiles.entries()) {
    const vertical = down[Math.floor(tile / columns)] as readonly Sample[];
    const horizontal = across[tile % columns] as readonly Sample[];
    for (const y of vertical) {
      for (const x of horizontal) {
        let squares = 0;
        for (let channel = 0; channel < channels; channel++) {
          const plane = channel * tall * wide;
          const upper = plane + y.before * wide;
          const lower = plane + y.after * wide;
          const topLeft = overview[upper + x.before] as number;
          const bottomLeft = overview[lower + x.before] as number;
          const top = topLeft + ((overview[upper + x.after] as number) - topLeft) * x.share;
          const bottom = bottomLeft + ((overview[lower + x.after] as number) - bottomLeft) * x.share;
          const shown = pixels[(channel * height + y.pixel) * width + x.pixel] as number;
          squares += (shown - top - (bottom - top) * y.share) ** 2;
        }
        const cell = y.cell * cellColumns + x.cell;
        sums[cell] = (sums[cell] as number) + squares / channels;
        counts[cell] = (counts[cell] as number) + 1;
      }
    }
  }
  return Float32Array.from(sums, (sum, cell) => Math.sqrt(sum / Math.max(1, counts[cell] as number)));
}

/** A pixel of a tile along one axis, and its position in the overview. */
interface Sample {
  readonly pixel: number;
  /** The two pixels of the overview around it. Its position is `share` of the way from the first to the second. */
  readonly before: number;
  readonly after: number;
  readonly share: number;
  /** The overview token that covers it. */
  readonly cell: number;
}

/** The sampled pixels of each of `parts` tiles of `length` pixels along one axis of an overview of `overview` pixels. */
function samples(parts: number, length: number, overview: number, cells: number): Sample[][] {
  const count = Math.ceil(length / STRIDE);
  return Array.from({ length: parts }, (_, part) =>
    Array.from({ length: count }, (__, index): Sample => {
      const pixel = index * STRIDE;
      const position = (part + (pixel + 0.5) / length) / parts;
      const place = Math.min(Math.max(position * overview - 0.5, 0), overview - 1);
      const before = Math.floor(place);
      const after = Math.min(before + 1, overview - 1);
      return { pixel, before, after, share: place - before, cell: Math.floor(position * cells) };
    }),
  );
}

function expectPixels(name: string, pixels: Float32Array, count: number): void {
  if (pixels.length === count) return;
  throw new InvalidTensorError(name, `expected ${count} numbers, got ${pixels.length}`);
}
