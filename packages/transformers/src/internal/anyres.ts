// Any-resolution images as LLaVA-NeXT sees them: the whole image as one tile, plus a larger version of the image, padded and cut
// into a grid of tiles. Layouts and pixels follow Hugging Face's processor and model, which match the original LLaVA code;
// transformers.js does not have this processor.

import { PromptMismatchError, UnsupportedModelError } from '../errors.js';
import { type RgbImage, resizeBicubic } from './resize-bicubic.js';
import { type ModelConfig, type ModelInputs, numberAt, section, tensorAt } from './types.js';

/** A size in pixels or in tokens. */
export interface Area {
  readonly height: number;
  readonly width: number;
}

/** The tiling settings in a model's configuration. */
export interface AnyresConfig {
  /** Side of a tile in pixels. */
  readonly tilePixels: number;
  /** Side of a tile in vision tokens. */
  readonly tileTokens: number;
  /** Sizes, in pixels, that an image may be resized to. */
  readonly resolutions: readonly Area[];
}

/**
 * The layout of one image's rows in a prompt whose order differs from the encoder's output. Rows are counted from the image's
 * first row: the rows of its tiles, tile by tile, then one newline per line of the tile grid.
 */
export interface Packing {
  readonly tiles: readonly { readonly visionTokens: number; readonly grid: readonly [number, number] }[];
  readonly newlines: number;
  /** All rows in prompt order. */
  readonly order: readonly number[];
  /** The rows, in that order, that the model reads when no token is pruned: includes newlines, but no padding. */
  readonly unpruned: readonly number[];
}

/**
 * Reads the tiling settings from `config.json`.
 * @throws UnsupportedModelError if they are missing.
 */
export function anyresConfig(config: ModelConfig): AnyresConfig {
  const vision = section(config, 'vision_config');
  const tilePixels = numberAt(vision, 'image_size');
  const patch = numberAt(vision, 'patch_size');
  const { image_grid_pinpoints: pinpoints } = config;
  if (
    tilePixels === undefined ||
    patch === undefined ||
    !Array.isArray(pinpoints) ||
    pinpoints.length === 0
  ) {
    throw new UnsupportedModelError(
      String(config.model_type),
      'its config.json lacks image_grid_pinpoints, or image_size or patch_size in vision_config',
    );
  }
  const resolutions = pinpoints.map((pinpoint: unknown): Area => {
    const [height, width] = pinpoint as readonly [number, number];
    return { height, width };
  });
  return { tilePixels, tileTokens: Math.floor(tilePixels / patch), resolutions };
}

/** The resolution that shows the most of an image. Ties go to the least padding, then to the first one. */
function bestResolution(image: Area, resolutions: readonly Area[]): Area {
  let best = resolutions[0] as Area;
  let mostShown = 0;
  let leastWasted = Number.POSITIVE_INFINITY;
  for (const { height, width } of resolutions) {
    const scale = Math.min(width / image.width, height / image.height);
    const scaled = Math.trunc(image.width * scale) * Math.trunc(image.height * scale);
    const shown = Math.min(scaled, image.width * image.height);
    const wasted = width * height - shown;
    if (shown > mostShown || (shown === mostShown && wasted < leastWasted)) {
      best = { height, width };
      mostShown = shown;
      leastWasted = wasted;
    }
  }
  return best;
}

/** The size of an image that keeps its aspect ratio and just fits into `resolution`. */
export function fittedSize(image: Area, { height, width }: Area): Area {
  const scaleWidth = width / image.width;
  const scaleHeight = height / image.height;
  return scaleWidth < scaleHeight
    ? { width, height: Math.min(Math.ceil(image.height * scaleWidth), height) }
    : { height, width: Math.min(Math.ceil(image.width * scaleHeight), width) };
}

/** Lines and columns of tokens that are padding at each edge of a grid of `tokens`: at least one of the two is zero. */
function paddingOf(image: Area, tokens: Area): { readonly lines: number; readonly columns: number } {
  // Seven decimals, as in Python's round(), so that 11.9999999… counts as 12.
  const whole = (size: number): number => Math.trunc(Number(size.toFixed(7)));
  if (image.width / image.height > tokens.width / tokens.height) {
    const shown = whole(image.height * (tokens.width / image.width));
    return { lines: Math.floor((tokens.height - shown) / 2), columns: 0 };
  }
  const shown = whole(image.width * (tokens.height / image.height));
  return { lines: 0, columns: Math.floor((tokens.width - shown) / 2) };
}

/** The layout of an image in a prompt. */
export function packImage(image: Area, { tilePixels, tileTokens, resolutions }: AnyresConfig): Packing {
  const resolution = bestResolution(image, resolutions);
  const rows = Math.floor(resolution.height / tilePixels);
  const columns = Math.floor(resolution.width / tilePixels);
  const perTile = tileTokens * tileTokens;
  const tokens = { height: rows * tileTokens, width: columns * tileTokens };
  const padding = paddingOf(image, tokens);
  const count = 1 + rows * columns;
  const order = Array.from({ length: perTile }, (_, row) => row);
  const unpruned = [...order];
  for (let y = 0; y < tokens.height; y++) {
    const isShown = y >= padding.lines && y < tokens.height - padding.lines;
    for (let x = 0; x < tokens.width; x++) {
      const tile = 1 + Math.floor(y / tileTokens) * columns + Math.floor(x / tileTokens);
      const row = tile * perTile + (y % tileTokens) * tileTokens + (x % tileTokens);
      order.push(row);
      if (isShown && x >= padding.columns && x < tokens.width - padding.columns) unpruned.push(row);
    }
    const newline = count * perTile + y;
    order.push(newline);
    if (isShown) unpruned.push(newline);
  }
  const tile = { visionTokens: perTile, grid: [tileTokens, tileTokens] } as const;
  return { tiles: Array.from({ length: count }, () => tile), newlines: tokens.height, order, unpruned };
}

/**
 * The layouts of the images of `image_sizes` `[images, 2]` (height, width) in their prompts.
 * @throws PromptMismatchError without that input, UnsupportedModelError if the configuration has no tiling settings.
 */
export function packingsOf(config: ModelConfig, inputs: ModelInputs): Packing[] {
  const sizes = tensorAt(inputs, 'image_sizes');
  if (sizes === undefined) {
    throw new PromptMismatchError(
      'pixel_values came without image_sizes; pass everything that the processor returned',
    );
  }
  const anyres = anyresConfig(config);
  const numbers = Array.from(sizes.data as ArrayLike<bigint | number>, Number);
  return Array.from({ length: numbers.length / 2 }, (_, image) =>
    packImage({ height: numbers[image * 2] as number, width: numbers[image * 2 + 1] as number }, anyres),
  );
}

/** Per-channel mean and standard deviation of the encoder's training pixels, after scaling to 0 … 1. */
export interface Normalization {
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
}

const CHANNELS = 3;

/** The tiles of an image as `[tiles, 3, side, side]`: the whole image first, then the grid tiles, row by row. */
export function tilesOf(
  image: RgbImage,
  config: ModelConfig,
  normalization: Normalization,
): { readonly data: Float32Array; readonly tiles: number; readonly side: number } {
  const { tilePixels: side, resolutions } = anyresConfig(config);
  const resolution = bestResolution(image, resolutions);
  const fitted = fittedSize(image, resolution);
  const canvas = centered(resizeBicubic(image, fitted.width, fitted.height), resolution);
  const columns = Math.floor(resolution.width / side);
  const tiles = 1 + Math.floor(resolution.height / side) * columns;
  const data = new Float32Array(tiles * CHANNELS * side * side);
  const write = (tile: number, source: RgbImage, left: number, top: number): void =>
    writeTile(data.subarray(tile * CHANNELS * side * side), source, { left, top, side }, normalization);
  write(0, resizeBicubic(image, side, side), 0, 0);
  for (let tile = 1; tile < tiles; tile++) {
    write(tile, canvas, ((tile - 1) % columns) * side, Math.floor((tile - 1) / columns) * side);
  }
  return { data, tiles, side };
}

/** Centers the image on a black canvas. An odd pixel of padding goes to the right and the bottom. */
function centered(image: RgbImage, { width, height }: Area): RgbImage {
  const data = new Uint8ClampedArray(width * height * CHANNELS);
  const left = Math.floor((width - image.width) / 2);
  const top = Math.floor((height - image.height) / 2);
  for (let y = 0; y < image.height; y++) {
    const line = image.data.subarray(y * image.width * CHANNELS, (y + 1) * image.width * CHANNELS);
    data.set(line, ((top + y) * width + left) * CHANNELS);
  }
  return { width, height, data };
}

/** Writes a square of an image, normalized, in channel-first order. */
function writeTile(
  target: Float32Array,
  { data, width }: RgbImage,
  { left, top, side }: { readonly left: number; readonly top: number; readonly side: number },
  { image_mean, image_std }: Normalization,
): void {
  for (let channel = 0; channel < CHANNELS; channel++) {
    const mean = image_mean[channel] as number;
    const deviation = image_std[channel] as number;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const value = (data[((top + y) * width + left + x) * CHANNELS + channel] as number) / 255;
        target[(channel * side + y) * side + x] = (value - mean) / deviation;
      }
    }
  }
}
