// Faster versions of two methods of transformers.js's image processors: `preprocess`, which most classes share, and `_call` of
// Idefics3ImageProcessor, which cuts images into tiles. They return what the originals return. For settings that they do not know,
// they call the originals.

import { byteTables, gridTiles, type Normalization, planesOf, type RgbBytes, writeTiles } from './pixels.js';

/** The members of a `RawImage` that are used here. */
export interface RawImageLike extends RgbBytes {
  readonly channels: number;
  /** Converts the image to three channels, in place. */
  rgb(): RawImageLike;
}

/** A preprocessed image. Sizes are `[height, width]`. */
interface Preprocessed {
  readonly original_size: readonly [height: number, width: number];
  readonly reshaped_input_size: readonly [height: number, width: number];
  /** `[channels, height, width]` */
  readonly pixel_values: unknown;
}

type Settings = Readonly<Record<string, unknown>>;

/** The methods that have faster versions. */
interface Methods {
  preprocess(image: RawImageLike, options?: Settings): Promise<unknown>;
  _call(images: unknown, options?: Settings): Promise<unknown>;
}

/** The members of an image processor that are used here. */
export interface ImageProcessorLike extends Methods, Normalization {
  readonly [setting: `do_${string}`]: boolean | undefined;
  readonly pad_size?: unknown;
  readonly size_divisibility?: unknown;
  /** The edge of a tile, for processors that cut images. */
  readonly max_image_size?: { readonly longest_edge?: number };
  resize(image: RawImageLike): Promise<RawImageLike>;
  /** The size in whole tiles of an image `[…, height, width]`. Only processors that cut images have this method. */
  get_resize_for_vision_encoder(
    pixels: { readonly dims: readonly number[] },
    edge: number,
  ): { readonly height: number; readonly width: number };
}

interface Class {
  readonly prototype: object;
}

/** Channels of an image after its conversion. */
const CHANNELS = 3;

/** The classes of the copy of transformers.js that made an image processor. */
export interface ImageClasses {
  readonly ImageProcessor: Class;
  readonly Idefics3ImageProcessor: Class;
  readonly Tensor: new (type: 'float32' | 'bool', data: Float32Array | Uint8Array, dims: number[]) => unknown;
}

/** Whether these members are still those of a class. */
function isUnchanged(processor: object, { prototype }: Class, members: readonly string[]): boolean {
  const read = (from: object, member: string): unknown => (from as Settings)[member];
  return members.every((member) => read(processor, member) === read(prototype, member));
}

/**
 * Faster versions of an image processor's methods, to be called as methods of it or of an object that inherits from it. Empty if it is
 * not of these classes, or if its methods have been replaced.
 */
export function fasterMethods(processor: ImageProcessorLike, classes: ImageClasses): Partial<Methods> {
  const { ImageProcessor, Idefics3ImageProcessor, Tensor } = classes;
  if (!isUnchanged(processor, ImageProcessor, ['preprocess', 'rescale'])) return {};
  const { preprocess, _call } = processor;
  const isTiled = isUnchanged(processor, Idefics3ImageProcessor, ['_call', 'split_image']);
  return {
    async preprocess(this: ImageProcessorLike, image, options = {}): Promise<unknown> {
      if (!isSimple(this, options) || !isNormalizable(this, image))
        return await preprocess.call(this, image, options);
      const resized = await resizedBy(this, image);
      const { height, width } = resized.image;
      const planes = planesOf(resized.image, byteTables(this));
      return {
        original_size: resized.from,
        reshaped_input_size: [height, width],
        pixel_values: new Tensor('float32', planes, [CHANNELS, height, width]),
      } satisfies Preprocessed;
    },
    ...(isTiled && {
      async _call(this: ImageProcessorLike, images, options = {}): Promise<unknown> {
        const batch = batchOf(images);
        const edge = this.max_image_size?.longest_edge;
        const isCut = options.do_image_splitting ?? this.do_image_splitting;
        const isKnown =
          isCut === true &&
          Number.isInteger(edge) &&
          isSimple(this, {}) &&
          batch.every((own) => own.length > 0 && own.every((image) => isNormalizable(this, image)));
        if (!isKnown) return await _call.call(this, images, options);
        const { grids, ...outputs } = await cutBatch(this, batch, edge as number, Tensor);
        return options.return_row_col_info === true ? { ...outputs, ...grids } : outputs;
      },
    }),
  };
}

/** Whether the settings ask for nothing but conversion to RGB, resizing, rescaling, and normalizing. */
function isSimple(processor: ImageProcessorLike, { do_pad, ...others }: Settings): boolean {
  const pads = do_pad ?? processor.do_pad;
  const isPadded = pads === true && (processor.pad_size != null || processor.size_divisibility != null);
  return (
    Object.values(others).every((option) => option == null) &&
    !isPadded &&
    processor.do_rescale === true &&
    processor.do_normalize === true &&
    ['do_crop_margin', 'do_thumbnail', 'do_center_crop', 'do_flip_channel_order'].every(
      (setting) => (processor as unknown as Settings)[setting] !== true,
    )
  );
}

/** Whether an image has three channels after conversion, each with a mean and a deviation. */
function isNormalizable(
  { do_convert_rgb, image_mean, image_std }: ImageProcessorLike,
  { channels }: RawImageLike,
): boolean {
  const isPerChannel = [image_mean, image_std].every(
    (each) => Array.isArray(each) && each.length === CHANNELS,
  );
  return isPerChannel && (do_convert_rgb === true || channels === CHANNELS);
}

/** The image as the processor resizes it, and its size before. */
async function resizedBy(
  processor: ImageProcessorLike,
  image: RawImageLike,
): Promise<{ readonly image: RawImageLike; readonly from: readonly [height: number, width: number] }> {
  const from = [image.height, image.width] as const;
  const converted = processor.do_convert_rgb === true ? image.rgb() : image;
  return { image: processor.do_resize === true ? await processor.resize(converted) : converted, from };
}

/** Images as a batch of prompts, each with a list of images. */
function batchOf(images: unknown): readonly (readonly RawImageLike[])[] {
  if (!Array.isArray(images)) return [[images as RawImageLike]];
  return (Array.isArray(images[0]) ? images : [images]) as RawImageLike[][];
}

/** What the processor returns for a batch of prompts with images that are cut into tiles. */
interface CutBatch {
  /** `[prompts, tiles, channels, edge, edge]`; zeros after the tiles of a prompt that has fewer than others. */
  readonly pixel_values: unknown;
  /** `[prompts, tiles, edge, edge]`: false where there is no tile. */
  readonly pixel_attention_mask: unknown;
  readonly original_sizes: readonly (readonly number[])[];
  readonly reshaped_input_sizes: readonly (readonly number[])[];
  /** Rows and columns of tiles of each image of each prompt; zero for an image that is a single tile. */
  readonly grids: {
    readonly rows: readonly (readonly number[])[];
    readonly cols: readonly (readonly number[])[];
  };
}

/** Resizes the images of a batch of prompts and cuts them into tiles with this edge. */
async function cutBatch(
  processor: ImageProcessorLike,
  batch: readonly (readonly RawImageLike[])[],
  edge: number,
  Tensor: ImageClasses['Tensor'],
): Promise<CutBatch> {
  const prepare = async (image: RawImageLike) => {
    const resized = await resizedBy(processor, image);
    const dims = [resized.image.height, resized.image.width];
    const whole = processor.get_resize_for_vision_encoder({ dims }, edge);
    return { ...resized, grid: { rows: whole.height / edge, columns: whole.width / edge, edge } };
  };
  const prompts = await Promise.all(batch.map((images) => Promise.all(images.map(prepare))));
  const counts = prompts.map((images) => images.reduce((sum, { grid }) => sum + gridTiles(grid), 0));
  const most = Math.max(...counts);
  const plane = edge * edge;
  const values = new Float32Array(prompts.length * most * CHANNELS * plane);
  const mask = new Uint8Array(prompts.length * most * plane);
  const tables = byteTables(processor);
  prompts.forEach((images, prompt) => {
    let tile = prompt * most;
    mask.fill(1, tile * plane, (tile + (counts[prompt] as number)) * plane);
    for (const { image, grid } of images) {
      writeTiles(values.subarray(tile * CHANNELS * plane), image, tables, grid);
      tile += gridTiles(grid);
    }
  });
  const all = prompts.flat();
  const lengths = (axis: 'rows' | 'columns'): number[][] =>
    prompts.map((images) => images.map(({ grid }) => (gridTiles(grid) > 1 ? grid[axis] : 0)));
  return {
    pixel_values: new Tensor('float32', values, [prompts.length, most, CHANNELS, edge, edge]),
    pixel_attention_mask: new Tensor('bool', mask, [prompts.length, most, edge, edge]),
    original_sizes: all.map(({ from }) => from),
    reshaped_input_sizes: all.map(({ image }) => [image.height, image.width]),
    grids: { rows: lengths('rows'), cols: lengths('columns') },
  };
}
