// Images for tests: noise that depends on a seed, noise in one quarter, and an image with one block inverted.

import { RawImage } from '@huggingface/transformers';
import type { ImageSize } from './family.js';
import { createWeights } from './graph/weights.js';

/** An image of random pixels. */
export function noiseImage({ width, height }: ImageSize, seed = 1): RawImage {
  const noise = createWeights(seed).uniform('image', width * height * 3, 0, 255);
  return new RawImage(Uint8ClampedArray.from(noise), width, height, 3);
}

/** A gray image with noise in one quarter: 0 to 3, row by row. */
export function noiseIn(quarter: number, { width, height }: ImageSize): RawImage {
  const data = new Uint8ClampedArray(width * height * 3).fill(128);
  const noise = noiseImage({ width, height }).data;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const own = (y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1);
      const at = (y * width + x) * 3;
      if (own === quarter) data.set(noise.subarray(at, at + 3), at);
    }
  }
  return new RawImage(data, width, height, 3);
}

/** A copy with the block of `side` pixels at `[left, top]` inverted. */
export function invertBlock(image: RawImage, left: number, top: number, side: number): RawImage {
  const copy = image.clone();
  for (let y = top; y < Math.min(top + side, image.height); y++) {
    for (let x = left; x < Math.min(left + side, image.width); x++) {
      for (let channel = 0; channel < 3; channel++) {
        const index = (y * image.width + x) * 3 + channel;
        copy.data[index] = 255 - copy.data[index]!;
      }
    }
  }
  return copy;
}
