// Prepares images for these models on every platform with the same numbers as transformers.js in Node, but faster.
import type { Processor, RawImage, Tensor } from '@huggingface/transformers';
import { resizeBicubic } from './resize.js';

const BYTES = 256;

/** Classes of the copy of transformers.js that loaded a processor. */
export interface Classes {
  readonly RawImage: typeof RawImage;
  readonly Tensor: typeof Tensor;
}

/** A preprocessed image, as in transformers.js. Sizes are `[height, width]`. */
interface Prepared {
  readonly original_size: readonly [number, number];
  readonly reshaped_input_size: readonly [number, number];
  /** `[channels, height, width]` */
  readonly pixel_values: Tensor;
}

/** The parts of an image processor that are read and replaced. Copies with other settings inherit the replaced ones. */
interface ImageSettings {
  readonly size: unknown;
  readonly rescale_factor: number;
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
  get_resize_output_image_size(image: RawImage, size: unknown): readonly [width: number, height: number];
  resize(image: RawImage): Promise<RawImage>;
  preprocess(image: RawImage, options?: Readonly<Record<string, unknown>>): Promise<Prepared>;
}

/**
 * Makes a processor of these models resize with {@link resizeBicubic}, because browsers resize on a canvas with another filter, and
 * rescale, normalize, and transpose pixels in one pass.
 */
export function prepareAlike(processor: Processor, { RawImage: Image, Tensor: Values }: Classes): void {
  const images = processor.image_processor as unknown as ImageSettings;
  const original = images.preprocess;
  images.resize = async function (image) {
    const [width, height] = this.get_resize_output_image_size(image, this.size);
    if (image.width === width && image.height === height) return image;
    return new Image(resizeBicubic(image, width, height), width, height, image.channels);
  };
  images.preprocess = async function (image, options = {}) {
    if (Object.keys(options).length > 0) return await original.call(this, image, options);
    const resized = await this.resize(image.rgb());
    const { width, height } = resized;
    return {
      original_size: [image.height, image.width],
      reshaped_input_size: [height, width],
      pixel_values: new Values('float32', pixelValues(resized, this), [resized.channels, height, width]),
    };
  };
}

/** Rescaled and normalized pixels, `[channels, height, width]`. Every byte of a channel has one value, which is computed once. */
function pixelValues(
  { data, channels }: RawImage,
  { rescale_factor, image_mean, image_std }: ImageSettings,
): Float32Array {
  const plane = data.length / channels;
  const values = new Float32Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    // transformers.js stores single precision after each of the two steps.
    const scaled = Float32Array.from({ length: BYTES }, (_, byte) => rescale_factor * byte);
    const normalized = scaled.map((value) => (value - image_mean[channel]!) / image_std[channel]!);
    const first = channel * plane;
    for (let pixel = 0; pixel < plane; pixel++) {
      values[first + pixel] = normalized[data[pixel * channels + channel]!]!;
    }
  }
  return values;
}
