// Pictures of an evaluation as transformers.js takes them.

import type { RawImage } from '@huggingface/transformers';
import type { ModelRequest } from '@mmtok/eval';
import { readPicture } from '../images/picture.js';

/** Reads pictures, from their files where they are files of their own. */
export async function readRawImages(
  { RawImage }: Pick<typeof import('@huggingface/transformers'), 'RawImage'>,
  images: ModelRequest['images'],
): Promise<RawImage[]> {
  return await Promise.all(
    images.map(async (image) => {
      const { data, width, height } = await readPicture(image.path ?? (await image.read()), '/');
      return new RawImage(data, width, height, 3);
    }),
  );
}
