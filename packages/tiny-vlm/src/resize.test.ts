// Our resizing against that of transformers.js in Node, byte for byte.
import { AutoProcessor, RawImage } from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { modelPath, smallModelPath, tiledModelPath } from './model-path.js';
import { resizeAlike, resizeBicubic } from './resize.js';

/** A picture of noise, the hardest to resize alike. */
function noise(width: number, height: number, channels: 1 | 3): RawImage {
  let state = width * 31 + height;
  const data = Uint8ClampedArray.from({ length: width * height * channels }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  return new RawImage(data, width, height, channels);
}

test.each([
  [128, 128, 192, 192],
  [128, 128, 64, 64],
  [100, 70, 192, 192],
  [640, 480, 192, 192],
  [313, 1000, 64, 64],
  [7, 9, 192, 192],
  [1, 1, 64, 64],
])('%d × %d pixels become %d × %d as in Node', async (width, height, toWidth, toHeight) => {
  const image = noise(width, height, 3);
  const expected = await image.resize(toWidth, toHeight, { resample: 3 });
  const resized = resizeBicubic(image, toWidth, toHeight);
  expect(Buffer.compare(Uint8Array.from(resized), Uint8Array.from(expected.data))).toBe(0);
});

test.each([modelPath, smallModelPath, tiledModelPath])(
  'the processor of %s makes the same pixel values',
  async (path) => {
    const [own, plain] = await Promise.all(
      [0, 1].map(() => AutoProcessor.from_pretrained(path, { local_files_only: true })),
    );
    resizeAlike(own!, RawImage);
    for (const image of [noise(128, 128, 3), noise(90, 200, 1), noise(192, 192, 3), noise(64, 64, 3)]) {
      const [ours, theirs] = await Promise.all(
        [own!, plain!].map((processor) => processor.image_processor!([image])),
      );
      expect(ours.pixel_values.dims).toEqual(theirs.pixel_values.dims);
      expect(ours.pixel_values.data).toEqual(theirs.pixel_values.data);
    }
  },
);
