// Compares our preparation of images with that of transformers.js in Node, number for number.
import * as library from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { noise } from '../test/noise.js';
import { modelPath, smallModelPath, tiledModelPath } from './model-path.js';
import { prepareAlike } from './prepare-alike.js';

describe.each([modelPath, smallModelPath, tiledModelPath])('the processor of %s', (path) => {
  const load = async (): Promise<library.Processor> =>
    await library.AutoProcessor.from_pretrained(path, { local_files_only: true });
  const both = async (): Promise<[library.Processor, library.Processor]> => {
    const [own, plain] = await Promise.all([load(), load()]);
    prepareAlike(own, library);
    return [own, plain];
  };

  it('gives the same numbers for an image', async () => {
    const processors = await both();
    const gray = (): library.RawImage => noise(90, 200, 1);
    for (const make of [() => noise(128, 128, 3), gray, () => noise(192, 192, 3), () => noise(64, 64, 3)]) {
      const [ours, theirs] = await Promise.all(
        processors.map((processor) => processor.image_processor!([make()], { return_row_col_info: true })),
      );
      for (const tensor of ['pixel_values', 'pixel_attention_mask']) {
        expect(ours[tensor]?.dims).toEqual(theirs[tensor]?.dims);
        expect(ours[tensor]?.data).toEqual(theirs[tensor]?.data);
      }
      for (const sizes of ['original_sizes', 'reshaped_input_sizes', 'rows', 'cols'])
        expect(ours[sizes]).toEqual(theirs[sizes]);
    }
  });

  it('applies the options of a call and the settings of a copy', async () => {
    const processors = await both();
    const image = noise(128, 128, 3);
    const [ours, theirs] = await Promise.all(
      processors.map((processor) => processor.image_processor!.preprocess(image, { do_normalize: false })),
    );
    expect(ours!.pixel_values.data).toEqual(theirs!.pixel_values.data);
    const [small, plainSmall] = await Promise.all(
      processors.map((processor) => {
        const { image_processor: original } = processor;
        const copy = Object.create(original!, { size: { value: { width: 48, height: 48 } } });
        return copy.preprocess(image);
      }),
    );
    expect(small.pixel_values.dims).toEqual([3, 48, 48]);
    expect(small.pixel_values.data).toEqual(plainSmall.pixel_values.data);
  });
});
