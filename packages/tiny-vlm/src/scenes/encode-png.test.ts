// PNG files of this package, read by the decoder that transformers.js uses.
import { RawImage } from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { encodePng } from './encode-png.js';

test('a decoder reads the same pixels', async () => {
  const pixels = Uint8Array.from({ length: 3 * 5 * 7 }, (_, at) => (at * 37) % 256);
  const file = new Blob([new Uint8Array(encodePng(pixels, 5, 7))]);
  const { data, width, height, channels } = await RawImage.fromBlob(file);
  expect([width, height, channels]).toEqual([5, 7, 3]);
  expect([...data]).toEqual([...pixels]);
});
