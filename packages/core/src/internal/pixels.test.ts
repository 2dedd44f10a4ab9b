// Images as the values that encoders take, against one pixel at a time in double precision. Equality with transformers.js, bit for
// bit, is tested in @mmtok/transformers.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteTables, gridTiles, planesOf, type RgbBytes, type TileGrid, writeTiles } from './pixels.js';

const normalization = {
  rescale_factor: 1 / 255,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
};
const tables = byteTables(normalization);

const size = fc.integer({ min: 1, max: 30 });
const images = fc
  .record({ width: size, height: size })
  .chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((data): RgbBytes => ({ data, width, height })),
  );

/** The value of a pixel, in double precision. */
function valueAt({ data, width }: RgbBytes, channel: number, y: number, x: number): number {
  const byte = data[(y * width + x) * 3 + channel] as number;
  const [mean, deviation] = [normalization.image_mean, normalization.image_std].map((each) => each[channel]);
  return (byte / 255 - (mean as number)) / (deviation as number);
}

/** Samples `at(y, x)` of a `height × width` image in the middle of pixel (y, x) of a `toHeight × toWidth` image. */
function stretched(
  at: (y: number, x: number) => number,
  [height, width]: readonly [number, number],
  [toHeight, toWidth]: readonly [number, number],
): (y: number, x: number) => number {
  const inside = (value: number, length: number): number => Math.min(Math.max(value, 0), length - 1);
  return (y, x) => {
    const down = inside(((y + 0.5) * height) / toHeight - 0.5, height);
    const across = inside(((x + 0.5) * width) / toWidth - 0.5, width);
    const [top, left] = [Math.floor(down), Math.floor(across)];
    const [bottom, right] = [inside(top + 1, height), inside(left + 1, width)];
    const mixed = (row: number): number =>
      at(row, left) * (1 - across + left) + at(row, right) * (across - left);
    return mixed(top) * (1 - down + top) + mixed(bottom) * (down - top);
  };
}

describe('planes', () => {
  it('are normalized, one per channel', () => {
    fc.assert(
      fc.property(images, (image) => {
        const planes = planesOf(image, tables);
        expect(planes).toHaveLength(image.data.length);
        planes.forEach((value, at) => {
          const [x, rest] = [at % image.width, Math.floor(at / image.width)];
          const [y, channel] = [rest % image.height, Math.floor(rest / image.height)];
          expect(value).toBeCloseTo(valueAt(image, channel, y, x), 5);
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('tiles', () => {
  const grids = fc.record({
    rows: fc.integer({ min: 1, max: 3 }),
    columns: fc.integer({ min: 1, max: 3 }),
    edge: fc.integer({ min: 1, max: 9 }),
  });

  it('are parts of the stretched image, followed by all of it in one tile', () => {
    fc.assert(
      fc.property(images, grids, (image, grid) => {
        const { rows, columns, edge } = grid;
        const whole = [rows * edge, columns * edge] as const;
        const found = cut(image, grid);
        expect(gridTiles(grid)).toBe(rows * columns + (rows * columns > 1 ? 1 : 0));
        for (let channel = 0; channel < 3; channel++) {
          const pixel = (y: number, x: number): number => valueAt(image, channel, y, x);
          const full = stretched(pixel, [image.height, image.width], whole);
          const overview = stretched(full, whole, [edge, edge]);
          for (let tile = 0; tile < gridTiles(grid); tile++) {
            const [top, left] = [Math.floor(tile / columns) * edge, (tile % columns) * edge];
            for (let y = 0; y < edge; y++) {
              for (let x = 0; x < edge; x++) {
                const expected = tile < rows * columns ? full(top + y, left + x) : overview(y, x);
                expect(found[((tile * 3 + channel) * edge + y) * edge + x]).toBeCloseTo(expected, 4);
              }
            }
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('of an image of the right size have exactly its values', () => {
    const image = {
      data: Uint8Array.from({ length: 4 * 2 * 3 }, (_, at) => at * 9),
      width: 4,
      height: 2,
      channels: 3,
    };
    const left = cut(image, { rows: 1, columns: 2, edge: 2 }).subarray(0, 12);
    const planes = planesOf(image, tables);
    const expected = [0, 1, 2].flatMap((channel) => [0, 1, 4, 5].map((at) => planes[channel * 8 + at]));
    expect(Array.from(left)).toEqual(expected);
  });

  function cut(image: RgbBytes, grid: TileGrid): Float32Array {
    const target = new Float32Array(gridTiles(grid) * 3 * grid.edge ** 2);
    writeTiles(target, image, tables, grid);
    return target;
  }
});
