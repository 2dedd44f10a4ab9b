import { RawImage } from '@huggingface/transformers';

/** An image of noise, the hardest to resize identically. */
export function noise(width: number, height: number, channels: 1 | 3): RawImage {
  let state = width * 31 + height;
  const data = Uint8ClampedArray.from({ length: width * height * channels }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  return new RawImage(data, width, height, channels);
}
