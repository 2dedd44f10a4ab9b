// Compares our resizing with that of transformers.js in Node, byte for byte.
import { expect, test } from 'vitest';
import { noise } from '../test/noise.js';
import { resizeBicubic } from './resize.js';

test.each([
  [128, 128, 192, 192],
  [128, 128, 64, 64],
  [100, 70, 192, 192],
  [640, 480, 192, 192],
  [313, 1000, 64, 64],
  [7, 9, 192, 192],
  [1, 1, 64, 64],
])('%d × %d pixels are resized to %d × %d as in Node', async (width, height, toWidth, toHeight) => {
  const image = noise(width, height, 3);
  const expected = await image.resize(toWidth, toHeight, { resample: 3 });
  const resized = resizeBicubic(image, toWidth, toHeight);
  expect(Buffer.compare(Uint8Array.from(resized), Uint8Array.from(expected.data))).toBe(0);
});
