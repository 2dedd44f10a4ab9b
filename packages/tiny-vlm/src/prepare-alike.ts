// Prepares images for these models on every platform with the same numbers as transformers.js in Node, but faster.
import type {
  Idefics3ImageProcessor,
  ImageProcessor,
  Processor,
  RawImage,
  Tensor,
} from '@huggingface/transformers';
import { fasterMethods, type ImageClasses, type ImageProcessorLike } from '@mmtok/core/internal';
import { resizeBicubic } from './resize.js';

/** Classes of the copy of transformers.js that loaded a processor. */
export interface Classes {
  readonly RawImage: typeof RawImage;
  readonly Tensor: typeof Tensor;
  readonly ImageProcessor: typeof ImageProcessor;
  readonly Idefics3ImageProcessor: typeof Idefics3ImageProcessor;
}

/** The parts of an image processor that are read and replaced. Copies with other settings inherit the replaced ones. */
interface Resizer {
  readonly size: unknown;
  get_resize_output_image_size(image: RawImage, size: unknown): readonly [width: number, height: number];
  resize(image: RawImage): Promise<RawImage>;
}

/**
 * Makes a processor of these models resize with {@link resizeBicubic}, because browsers resize on a canvas with another filter, and
 * rescale, normalize, reorder, and cut pixels in one pass. No session of the library is involved.
 */
export function prepareAlike(processor: Processor, classes: Classes): void {
  const { RawImage: Image } = classes;
  const images = processor.image_processor as unknown as ImageProcessorLike & Resizer;
  Object.assign(images, fasterMethods(images, classes as unknown as ImageClasses));
  images.resize = async function (this: Resizer, image: RawImage) {
    const [width, height] = this.get_resize_output_image_size(image, this.size);
    if (image.width === width && image.height === height) return image;
    return new Image(resizeBicubic(image, width, height), width, height, image.channels);
  };
}
