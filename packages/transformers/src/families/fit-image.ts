// Limits how many vision tokens an image costs before it is encoded: downsizes the image if the processor keeps its size, or
// changes the processor's settings if it splits every image into tiles.

import type { Processor, RawImage } from '@huggingface/transformers';
import { InvalidOptionsError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { InputError } from '../errors.js';
import { type ModelConfig, numberAt, section } from '../internal/types.js';
import { withMembers } from '../internal/with-members.js';
import { CROP, phi3Tokens } from './tiling.js';

/** Options of {@link fitImage}. */
export interface FitImageOptions {
  /** Maximum number of vision tokens for the image. */
  readonly visionTokens: number;
}

/** An image within the token limit. */
export interface FittedImage {
  /** The image, downsized if necessary. It is never enlarged and keeps its aspect ratio to the nearest pixel. */
  readonly image: RawImage;
  /**
   * The processor to use for the image: the original one, or, for families that split every image into tiles, one that makes fewer tiles.
   */
  readonly processor: Processor;
  /** Vision tokens of the fitted image. */
  readonly visionTokens: number;
}

/** Width and height in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** The members of image processors that are used here. Image processors are callable objects. */
interface ImageProcessorLike {
  readonly config: ModelConfig;
  readonly size?: Readonly<Record<string, number>>;
  readonly resample?: number;
  readonly do_resize?: boolean;
  readonly [member: string]: unknown;
}

/** How to count the vision tokens of an image in a family. */
interface SizeRule {
  /** Members that identify an image processor of this kind. */
  readonly knownBy: readonly string[];
  /** Whether every image is scaled to the same size, so that a smaller image costs the same. */
  readonly isScaled?: true;
  /** Settings of the image processor that make fewer tiles, the most expensive first. */
  readonly settings?: (processor: ImageProcessorLike) => readonly Readonly<Record<string, unknown>>[];
  /** Vision tokens of an image of this size. */
  readonly count: (processor: ImageProcessorLike, size: Size, config: ModelConfig) => number;
}

/** `[width, height]` to which the image processor resizes an image. */
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
  // Idefics 3, SmolVLM: the longest edge of every image is scaled to a fixed number of tiles.
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
  // LFM2-VL: small images keep their size; large images are split into tiles plus a thumbnail.
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
      // The image is so narrow that the library would scale it to nothing.
      if (width < 1 || height < 1) return Number.POSITIVE_INFINITY;
      const edge = Math.sqrt(numberAt(processor.config, 'num_img_tokens') ?? Number.NaN);
      return phi3Tokens(edge, Math.ceil(height / CROP), Math.ceil(width / CROP));
    },
  },
  // Qwen-VL, GLM-OCR: one token per square of merged patches, with bounds on the number of pixels.
  {
    knownBy: ['merge_size', 'min_pixels', 'max_pixels'],
    count(processor, size) {
      const side = at(processor, 'patch_size') * at(processor, 'merge_size');
      const [width, height] = resized(processor, size);
      return Math.floor(width / side) * Math.floor(height / side);
    },
  },
  // Mistral 3, LightOnOCR (Pixtral): the same, with a bound on the longest edge.
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
 * Rounds width and height to multiples of `side` and keeps the area within bounds. This is how LFM2-VL sizes images that it does
 * not tile. The steps match `smart_resize` of transformers.js, including the rounding: with a different order of divisions, 65
 * pixels would lose one row of tokens.
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

/** Whether {@link fitImage} supports the images of a processor. */
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
 * Limits how many vision tokens an image costs, before anything is encoded. For families that keep the size of images (Qwen2-VL
 * to Qwen3.5, GLM-OCR, Mistral 3, LightOnOCR, LFM2-VL), the image is downsized. For families that split every image into tiles
 * (Idefics 3, SmolVLM, LFM2-VL, Phi-3 Vision), the processor makes fewer tiles.
 * @throws InvalidOptionsError if `visionTokens` is not a positive integer, or is less than the processor's minimum per image.
 * @throws InputError for families in which every image has the same number of vision tokens.
 * @example
 * const { image, processor } = await fitImage(loaded.processor, photo, { visionTokens: 256 });
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
        ? `visionTokens: got ${most}, but this processor makes at least ${least} of this image`
        : `the processor does not accept an image as narrow as ${image.width} × ${image.height} pixels`,
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

/** A setting of the image processor, and the largest image that fits with it. */
interface Fit extends Size {
  readonly setting: Readonly<Record<string, unknown>>;
  readonly visionTokens: number;
}

/** The largest image size that stays within the limit, or the cheapest size if none does. */
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
