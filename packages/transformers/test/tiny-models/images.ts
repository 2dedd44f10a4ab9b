// Pictures for tests: noise that depends on a seed, and the same picture with one block painted over.
import { RawImage } from '@huggingface/transformers';
import type { ImageSize } from './family.js';
import { createWeights } from './graph/weights.js';

/** A picture of random pixels. */
export function noiseImage({ width, height }: ImageSize, seed = 1): RawImage {
  const noise = createWeights(seed).uniform('image', width * height * 3, 0, 255);
  return new RawImage(Uint8ClampedArray.from(noise), width, height, 3);
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
