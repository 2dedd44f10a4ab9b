// Resizes images as transformers.js does in Node, byte for byte, on every platform. In browsers the library uses a canvas
// with a different filter, so the models would see other pixels than those on which they were measured.

/** Resolution of positions between two pixels: 1/64. */
const STEPS = 64;
/** Weights are multiples of 1/4096. */
const BITS = 12;
const HALF = 1 << (BITS - 1);

/**
 * The weights of four neighboring pixels for a point between the middle two: cubic convolution with a = -1/2, at every
 * 64th.
 */
const weights: readonly Int32Array[] = Array.from({ length: STEPS + 1 }, (_, step) => {
  const t = step / STEPS;
  const before = (-t * (1 - t) ** 2) / 2;
  const after = (-(1 - t) * t ** 2) / 2;
  const first = 1 - t ** 2 * (5 - 3 * t) * 0.5;
  const second = 1 - (1 - t) ** 2 * (5 - 3 * (1 - t)) * 0.5;
  return Int32Array.of(...[before, first, second, after].map((weight) => weight * 2 ** BITS));
});

/** Pixels, row by row. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** The source pixels of a new row or column: the second of four neighbors, and the weights of all four. */
function sources(from: number, to: number): readonly { readonly at: number; readonly by: Int32Array }[] {
  return Array.from({ length: to }, (_, position) => {
    const point = position * (from / to);
    const at = Math.floor(point);
    return { at, by: weights[(Math.trunc((point - at) * 2 * STEPS) + 1) >> 1] as Int32Array };
  });
}

/**
 * Resizes by bicubic interpolation between pixels, with black around the image.
 * @returns `[height, width, channels]` bytes, row by row.
 */
export function resizeBicubic(
  { data, width, height, channels }: Pixels,
  toWidth: number,
  toHeight: number,
): Uint8ClampedArray<ArrayBuffer> {
  const resized = new Uint8ClampedArray(toWidth * toHeight * channels);
  const columns = sources(width, toWidth);
  let written = 0;
  for (const row of sources(height, toHeight)) {
    for (const column of columns) {
      for (let channel = 0; channel < channels; channel++) {
        let value = HALF;
        for (let i = 0; i < 4; i++) {
          const y = row.at - 1 + i;
          if (y < 0 || y >= height) continue;
          let across = HALF;
          for (let j = 0; j < 4; j++) {
            const x = column.at - 1 + j;
            if (x < 0 || x >= width) continue;
            across += (column.by[j] as number) * (data[(y * width + x) * channels + channel] as number);
          }
          value += (row.by[i] as number) * (across >> BITS);
        }
        resized[written++] = value >> BITS;
      }
    }
  }
  return resized;
}
