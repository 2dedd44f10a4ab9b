// Makes the tiles of LLaVA-NeXT from an image, matching the Hugging Face processor. transformers.js does not have this processor.

import { type Area, anyresConfig, bestResolution, fittedSize } from '../internal/anyres.js';
import type { ModelConfig } from '../internal/types.js';
import { type RgbImage, resizeBicubic } from './resize-bicubic.js';

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
