// Makes an image cost at most so many vision tokens before it is encoded: a smaller image where the processor keeps its size,
// another setting of the processor where it cuts every image into a number of tiles.

import type { Processor, RawImage } from '@huggingface/transformers';
import { InvalidOptionsError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { InputError } from '../errors.js';
import { type ModelConfig, numberAt, section } from '../internal/types.js';
import { CROP, phi3Tokens } from './tiling.js';

/** Options of {@link fitImage}. */
export interface FitImageOptions {
  /** Vision tokens that the image may become at most. */
  readonly visionTokens: number;
}

/** An image that costs no more than it may. */
export interface FittedImage {
  /** The image, smaller if need be: never enlarged, its aspect ratio kept to the nearest pixel. */
  readonly image: RawImage;
  /**
   * The processor to give it to: the same one, or for families that cut every image into a number of tiles one that makes fewer.
   */
  readonly processor: Processor;
  /** Vision tokens that it then becomes. */
  readonly visionTokens: number;
}

/** Width and height in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** The members of image processors that are read. They are callable objects. */
interface ImageProcessorLike {
  readonly config: ModelConfig;
  readonly size?: Readonly<Record<string, number>>;
  readonly resample?: number;
  readonly do_resize?: boolean;
  readonly [member: string]: unknown;
  _call(...given: unknown[]): unknown;
}

/** How many vision tokens the images of a family become. */
interface SizeRule {
  /** Members by which an image processor of this kind is known. */
  readonly knownBy: readonly string[];
  /** Whether every image is scaled to the same extent, so that a smaller one costs as much. */
  readonly isScaled?: true;
  /** Settings of the image processor that make fewer tiles, the most costly first. */
  readonly settings?: (processor: ImageProcessorLike) => readonly Readonly<Record<string, unknown>>[];
  /** Vision tokens of an image of that size. */
  readonly count: (processor: ImageProcessorLike, size: Size, config: ModelConfig) => number;
}

/** `[width, height]` to which the image processor itself resizes an image. */
function resized(processor: ImageProcessorLike, { width, height }: Size): [width: number, height: number] {
  if (processor.do_resize === false) return [width, height];
  const resize = processor.get_resize_output_image_size as (
    this: ImageProcessorLike,
    image: Size & { readonly size: readonly [number, number] },
    size: unknown,
  ) => [number, number];
  return resize.call(processor, { width, height, size: [width, height] }, processor.size);
}

const at = (processor: ImageProcessorLike, name: string): number => Number(processor[name]);

const rules: readonly SizeRule[] = [
  // Idefics 3, SmolVLM: the longest edge of every image becomes so many tiles.
  {
    knownBy: ['get_resize_for_vision_encoder'],
    isScaled: true,
    settings: (processor) => {
      const tile = tileOf(processor);
      const most = Math.ceil((processor.size?.longest_edge ?? tile) / tile);
      return Array.from({ length: most - 1 }, (_, fewer) => ({
        size: { ...processor.size, longest_edge: (most - 1 - fewer) * tile },
      }));
    },
    count(processor, size, config) {
      const perTile = numberAt(config, 'image_seq_len') ?? Number.NaN;
      if (processor.do_image_splitting === false) return perTile;
      const tile = tileOf(processor);
      const [width, height] = resized(processor, size);
      const whole = processor.get_resize_for_vision_encoder as (
        this: ImageProcessorLike,
        pixels: { readonly dims: readonly number[] },
        tile: number,
      ) => Size;
      const cut = whole.call(processor, { dims: [height, width] }, tile);
      const tiles = Math.ceil(cut.width / tile) * Math.ceil(cut.height / tile);
      return perTile * (tiles > 1 ? tiles + 1 : 1);
    },
  },
  // LFM2-VL: small images keep their size, large ones are cut into tiles beside a thumbnail.
  {
    knownBy: ['_get_grid_layout', '_is_image_too_large'],
    settings: (processor) => {
      const [least, most] = [at(processor, 'min_tiles'), at(processor, 'max_tiles')];
      return Array.from({ length: most - least }, (_, fewer) => ({ max_tiles: most - 1 - fewer }));
    },
    count(processor, size) {
      const [width, height] = resized(processor, size);
      const [patch, factor] = [at(processor, 'encoder_patch_size'), at(processor, 'downsample_factor')];
      const side = patch * factor;
      const tokens = (edge: number): number => Math.ceil(Math.floor(edge / patch) / factor);
      const [shown, tall] = withinArea({ width, height }, side, [
        at(processor, 'min_image_tokens') * side ** 2,
        at(processor, 'max_image_tokens') * side ** 2,
      ]);
      const whole = tokens(shown) * tokens(tall);
      const [least, most] = [at(processor, 'min_tiles'), at(processor, 'max_tiles')];
      const cuts = processor.do_image_splitting === true && !(least === 1 && most === 1);
      const isLarge = processor._is_image_too_large as (
        this: ImageProcessorLike,
        height: number,
        width: number,
      ) => boolean;
      if (!cuts || !isLarge.call(processor, height, width)) return whole;
      const layout = processor._get_grid_layout as (
        this: ImageProcessorLike,
        height: number,
        width: number,
      ) => { readonly grid_width: number; readonly grid_height: number };
      const grid = layout.call(processor, height, width);
      const tiles = grid.grid_width * grid.grid_height;
      const ofTiles = tiles * tokens(at(processor, 'tile_size')) ** 2;
      return ofTiles + (processor.use_thumbnail === true && tiles !== 1 ? whole : 0);
    },
  },
  // Phi-3 Vision: the image is scaled to a number of crops.
  {
    knownBy: ['calc_num_image_tokens_from_image_size'],
    isScaled: true,
    settings: ({ config }) =>
      [4, 3, 2]
        .map((edge) => edge ** 2)
        .filter((num_crops) => num_crops < (numberAt(config, 'num_crops') ?? 0))
        .map((num_crops) => ({ config: { ...config, num_crops }, _num_crops: num_crops })),
    count(processor, size) {
      const [width, height] = resized(processor, size);
      // So narrow that the library scales it to nothing.
      if (width < 1 || height < 1) return Number.POSITIVE_INFINITY;
      const edge = Math.sqrt(numberAt(processor.config, 'num_img_tokens') ?? Number.NaN);
      return phi3Tokens(edge, Math.ceil(height / CROP), Math.ceil(width / CROP));
    },
  },
  // Qwen-VL, GLM-OCR: one token per square of merged patches, within a number of pixels.
  {
    knownBy: ['merge_size', 'min_pixels', 'max_pixels'],
    count(processor, size) {
      const side = at(processor, 'patch_size') * at(processor, 'merge_size');
      const [width, height] = resized(processor, size);
      return Math.floor(width / side) * Math.floor(height / side);
    },
  },
  // Mistral 3, LightOnOCR (Pixtral): the same, within a longest edge.
  {
    knownBy: [],
    count(processor, size) {
      const side =
        (numberAt(processor.config, 'patch_size') ?? Number.NaN) *
        (numberAt(processor.config, 'spatial_merge_size') ?? Number.NaN);
      const [width, height] = resized(processor, size);
      return Math.floor(width / side) * Math.floor(height / side);
    },
  },
];

function tileOf({ max_image_size }: ImageProcessorLike): number {
  return numberAt(section({ max_image_size }, 'max_image_size'), 'longest_edge') ?? Number.NaN;
}

/**
 * Width and height as multiples of `side`, of an area within bounds: how LFM2-VL sizes images that it does not cut up. The steps are
 * those of `smart_resize` of transformers.js, rounding included: divided in another order, 65 pixels become one row of tokens fewer.
 */
function withinArea(
  { width: given, height: tall }: Size,
  side: number,
  [least, most]: readonly [number, number],
): [width: number, height: number] {
  const [width, height] = [Math.max(side, given), Math.max(side, tall)];
  const [wide, high] = [Math.round(width / side) * side, Math.round(height / side) * side];
  if (wide * high > most) {
    const shrink = Math.sqrt((height * width) / most);
    const within = (edge: number): number => Math.max(side, Math.floor(edge / shrink / side) * side);
    return [within(width), within(height)];
  }
  if (wide * high < least) {
    const grow = Math.sqrt(least / (height * width));
    const beyond = (edge: number): number => Math.ceil((edge * grow) / side) * side;
    return [beyond(width), beyond(height)];
  }
  return [wide, high];
}

function ruleOf(processor: ImageProcessorLike | undefined): SizeRule | undefined {
  if (processor === undefined) return undefined;
  return rules.find(({ knownBy }) =>
    knownBy.length === 0
      ? numberAt(processor.config, 'spatial_merge_size') !== undefined
      : knownBy.every((member) => processor[member] !== undefined),
  );
}

/** Whether {@link fitImage} knows the images of a processor. */
export function canFitImages(processor: Processor): boolean {
  return ruleOf(imageProcessorOf(processor)) !== undefined;
}

function imageProcessorOf({ image_processor }: Processor): ImageProcessorLike | undefined {
  return image_processor as ImageProcessorLike | undefined;
}

const schema = z.strictObject({
  visionTokens: z.int('expected a whole number').positive('expected at least 1'),
}) satisfies z.ZodType<FitImageOptions>;

/**
 * Makes an image cost at most so many vision tokens, before anything is encoded. For families that keep the size of images
 * (Qwen2-VL to Qwen3.5, GLM-OCR, Mistral 3, LightOnOCR, LFM2-VL) the image becomes smaller; for those that cut every image into
 * tiles (Idefics 3, SmolVLM, LFM2-VL, Phi-3 Vision) the processor makes fewer of them.
 * @throws InvalidOptionsError if `visionTokens` is no whole number from 1, or fewer than the processor makes of any image.
 * @throws InputError for families whose images all become the same number of vision tokens.
 * @example
 * const { image, processor } = await fitImage(loaded.processor, picture, { visionTokens: 256 });
 * const inputs = await processInputs(library, processor, { messages, images: [image] });
 */
export async function fitImage(
  processor: Processor,
  image: RawImage,
  options: FitImageOptions,
): Promise<FittedImage> {
  const { visionTokens: most } = parseOptions('options of fitImage', schema, options);
  const ip = imageProcessorOf(processor);
  const rule = ruleOf(ip);
  if (ip === undefined || rule === undefined) {
    throw new InputError(
      `its processor, ${processor.constructor.name}, makes the same number of vision tokens of every image; fitImage is for ` +
        'Qwen2-VL to Qwen3.5, GLM-OCR, Mistral 3, LightOnOCR, Idefics 3, SmolVLM, LFM2-VL and Phi-3 Vision',
    );
  }
  const config = (processor.config ?? {}) as unknown as ModelConfig;
  const fits = [{}, ...(rule.settings?.(ip) ?? [])].map((setting): Fit => {
    const own = withSettings(ip, setting);
    const count = (size: Size): number => rule.count(own, size, config);
    if (rule.isScaled !== true) return { setting, ...largest(image, most, count) };
    const { width, height } = image;
    return { setting, width, height, visionTokens: count(image) };
  });
  const [best] = fits
    .filter((fit) => fit.visionTokens <= most)
    .sort((a, b) => b.visionTokens - a.visionTokens || b.width - a.width);
  if (best === undefined) {
    const least = Math.min(...fits.map((fit) => fit.visionTokens));
    throw new InvalidOptionsError('options of fitImage', [
      Number.isFinite(least)
        ? `visionTokens: got ${most}, but the processor makes at least ${least} of this image`
        : `the processor takes no image as narrow as ${image.width} × ${image.height} pixels`,
    ]);
  }
  const { setting, width, height, visionTokens } = best;
  const isSame = width === image.width && height === image.height;
  return {
    image: isSame ? image : await image.resize(width, height, { resample: (ip.resample ?? 2) as 2 }),
    processor:
      Object.keys(setting).length === 0
        ? processor
        : withMembers(processor, { image_processor: withSettings(ip, setting) }),
    visionTokens,
  };
}

/** A setting of the image processor, and the largest image that fits under it. */
interface Fit extends Size {
  readonly setting: Readonly<Record<string, unknown>>;
  readonly visionTokens: number;
}

/** The largest size of an image that costs at most so much; the cheapest where none does. */
function largest(
  { width, height }: Size,
  most: number,
  count: (size: Size) => number,
): Size & { readonly visionTokens: number } {
  const longest = Math.max(width, height);
  let cheapest: (Size & { readonly visionTokens: number }) | undefined;
  for (let edge = longest; edge >= 1; edge--) {
    const size = {
      width: Math.max(1, Math.round((width * edge) / longest)),
      height: Math.max(1, Math.round((height * edge) / longest)),
    };
    const fit = { ...size, visionTokens: count(size) };
    if (fit.visionTokens <= most) return fit;
    if (cheapest === undefined || fit.visionTokens < cheapest.visionTokens) cheapest = fit;
  }
  return cheapest as Size & { readonly visionTokens: number };
}

function withSettings(
  processor: ImageProcessorLike,
  setting: Readonly<Record<string, unknown>>,
): ImageProcessorLike {
  return Object.keys(setting).length === 0 ? processor : withMembers(processor, setting);
}

/** A callable stand-in with some members of its own; all others are those of the original, which stays as it is. */
function withMembers<T extends object>(original: T, members: Readonly<Record<string, unknown>>): T {
  const stand = (...given: unknown[]): unknown => (stand as unknown as ImageProcessorLike)._call(...given);
  Object.setPrototypeOf(stand, original);
  for (const [name, value] of Object.entries(members)) Object.defineProperty(stand, name, { value });
  return stand as unknown as T;
}
