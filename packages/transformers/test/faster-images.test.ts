// Images are prepared faster than by the processors of transformers.js, with the same numbers.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as library from '@huggingface/transformers';
import { type Processor, RawImage, type Tensor } from '@huggingface/transformers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withFasterImages } from '../src/families/faster-images.js';
import { fitImage } from '../src/index.js';
import { buildTinyModel, type FamilyName } from './tiny-models/index.js';

type Channels = 1 | 3 | 4;
type Images = RawImage | readonly RawImage[] | readonly (readonly RawImage[])[];

/** An image of noise. */
function noise(width: number, height: number, channels: Channels = 3): RawImage {
  let state = width * 31 + height;
  const data = Uint8ClampedArray.from({ length: width * height * channels }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  return new RawImage(data, width, height, channels);
}

/** An Idefics 3 processor with tiles of 16 × 16 pixels, at most 4 along an edge. */
function tiledProcessor(more: object = {}): Processor {
  const image_processor = new library.Idefics3ImageProcessor({
    do_convert_rgb: true,
    do_normalize: true,
    do_pad: true,
    do_resize: true,
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
    max_image_size: { longest_edge: 16 },
    resample: 1,
    rescale_factor: 0.00392156862745098,
    size: { longest_edge: 64 },
    ...more,
  });
  return new library.Idefics3Processor({ image_seq_len: 4 }, { image_processor }, null);
}

const isTensor = (value: unknown): value is Tensor => value instanceof library.Tensor;

/** A hash of a tensor's bytes. Comparing millions of numbers one by one takes minutes. */
function digest({ data }: Tensor): string {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

/** Everything that an image processor returns, or its error, with hashes of the tensors. */
async function outcome(processor: Processor, images: Images, options: object = {}): Promise<unknown> {
  const copy = (image: RawImage): RawImage => image.clone();
  const fresh = Array.isArray(images)
    ? images.map((own) => (Array.isArray(own) ? own.map(copy) : copy(own)))
    : copy(images as RawImage);
  try {
    const outputs: object = await processor.image_processor?.(fresh, {
      return_row_col_info: true,
      ...options,
    });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [
        name,
        isTensor(value) ? { type: value.type, dims: value.dims, data: digest(value) } : value,
      ]),
    );
  } catch (error) {
    return String(error);
  }
}

/** Compares both processors. */
async function expectSame(processor: Processor, images: Images, options: object = {}): Promise<void> {
  const faster = withFasterImages(library, processor);
  expect(faster).not.toBe(processor);
  expect(await outcome(faster, images, options)).toEqual(await outcome(processor, images, options));
}

describe('tiles', () => {
  it.each<[string, Images]>([
    ['a square image', noise(40, 40)],
    ['a wide image', noise(100, 30)],
    ['a tall image', noise(30, 100)],
    ['a very wide image', noise(200, 3)],
    ['a gray image', noise(50, 40, 1)],
    ['an image with transparency', noise(50, 40, 4)],
    ['one pixel', noise(1, 1)],
    ['an image that is narrower than a pixel when resized', noise(1, 300)],
    ['an image of the right size', noise(64, 48)],
    ['a list of one image', [noise(40, 30)]],
    ['several images', [noise(40, 40), noise(90, 20), noise(20, 90)]],
    ['a batch with different numbers of images and tiles', [[noise(40, 40)], [noise(90, 20), noise(20, 90)]]],
    ['no image', []],
    ['a batch with a prompt without images', [[noise(40, 40)], []]],
  ])('equal those of transformers.js for %s', async (_, images) => {
    await expectSame(tiledProcessor(), images);
  });

  it('equal those of transformers.js for every size', async () => {
    const edge = fc.integer({ min: 1, max: 140 });
    await fc.assert(
      fc.asyncProperty(edge, edge, fc.constantFrom<Channels>(1, 3, 4), async (width, height, channels) => {
        await expectSame(tiledProcessor(), noise(width, height, channels));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['one tile', { size: { longest_edge: 16 } }],
    ['sizes that are not whole tiles', { size: { longest_edge: 50 } }],
    ['a large odd edge', { size: { longest_edge: 61 }, max_image_size: { longest_edge: 19 } }],
    ['no resizing', { do_resize: false }],
    ['no resizing and no conversion', { do_resize: false, do_convert_rgb: false }],
    ['no splitting', { do_image_splitting: false }],
    ['no rescaling', { do_rescale: false }],
    ['no normalization', { do_normalize: false }],
    ['one mean for all channels', { image_mean: 0.5, image_std: 0.25 }],
    ['a mean for two channels', { image_mean: [0.5, 0.5], image_std: [0.5, 0.5] }],
    ['padding', { pad_size: { width: 70, height: 80 } }],
    ['flipped channels', { do_flip_channel_order: true }],
    ['a crop', { do_center_crop: true, crop_size: 32 }],
    ['another way to resize', { resample: 0 }],
    ['no tile size', { max_image_size: {} }],
  ])('equal those of transformers.js with %s', async (_, settings) => {
    await expectSame(tiledProcessor(settings), [noise(70, 45), noise(45, 70)]);
  });

  it('follow the options of a call', async () => {
    await expectSame(tiledProcessor(), noise(70, 45), { do_image_splitting: false });
    await expectSame(tiledProcessor({ do_image_splitting: false }), noise(70, 45), {
      do_image_splitting: true,
    });
    await expectSame(tiledProcessor(), noise(70, 45), { return_row_col_info: false });
  });

  it('follow the settings of a fitted processor', async () => {
    const { processor } = await fitImage(tiledProcessor(), noise(60, 60), { visionTokens: 40 });
    expect(processor.image_processor).toHaveProperty('size.longest_edge', 48);
    await expectSame(processor, noise(60, 60));
  });

  it('need no session for tensor operations', async () => {
    const cut = vi.spyOn(library.Idefics3ImageProcessor.prototype, 'split_image');
    const processor = withFasterImages(library, tiledProcessor());
    await outcome(processor, noise(70, 45));
    expect(cut).not.toHaveBeenCalled();
    cut.mockRestore();
  });

  it('of a processor with replaced methods are left to it', () => {
    const processor = tiledProcessor();
    const preprocess = vi.fn();
    Object.assign(processor.image_processor ?? {}, { preprocess });
    expect(withFasterImages(library, processor)).toBe(processor);
  });

  it('of a processor from another copy of the library are left to it', () => {
    const processor = tiledProcessor();
    const other = { ...library, ImageProcessor: class extends library.ImageProcessor {} };
    Object.assign(other.ImageProcessor.prototype, { preprocess: vi.fn() });
    expect(withFasterImages(other, processor)).toBe(processor);
  });
});

/** One family per class of image processor that prepares images like others. */
const NAMES = [
  'llava',
  'llava_onevision',
  'mistral3',
  'qwen2_vl',
  'lfm2_vl',
  'phi3_v',
] satisfies FamilyName[];

describe.each(NAMES)('the images of %s', (name) => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prepared-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('equal those of transformers.js', async () => {
    const { path } = await buildTinyModel(name, { directory });
    const processor = await library.AutoProcessor.from_pretrained(path, { local_files_only: true });
    for (const image of [noise(50, 40), noise(31, 77, 1), noise(64, 64, 4)])
      await expectSame(processor, [image]);
  });
});
