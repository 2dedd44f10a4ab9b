// The pictures behind the vision tokens, to draw upon. A processor may crop, pad or cut a picture into tiles; then what
// the encoder saw is recovered from its input, so that every token lies where it belongs.

import type { ImageReport, TileReport } from '@mmtok/transformers';
import type { TokenView } from '../images/overlay.js';
import type { Picture } from '../images/picture.js';

/** The settings of an image processor that matter here. */
export interface ImageProcessing {
  readonly do_center_crop?: boolean | null;
  readonly do_pad?: boolean | null;
  readonly image_mean?: readonly number[] | number | null;
  readonly image_std?: readonly number[] | number | null;
}

/** A tensor of floats as the processor returned it. */
export interface PixelTensor {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

/** For each picture of a call its views, in order; no views for a picture whose tokens form no grid. */
export function seenViews(
  images: readonly ImageReport[],
  pictures: readonly Picture[],
  pixels: PixelTensor | undefined,
  processing: ImageProcessing,
): TokenView[][] {
  let tile = 0;
  const tiles = images.reduce((sum, image) => sum + image.tiles.length, 0);
  const isWhole = !processing.do_center_crop && !processing.do_pad;
  return images.map((image, i) => {
    const first = tile;
    tile += image.tiles.length;
    const views = image.tiles.map((report, t): TokenView | undefined => {
      const original = image.tiles.length === 1 && isWhole ? pictures[i] : undefined;
      const picture = original ?? pictureOf(pixels, tiles, first + t, processing);
      return viewOf(report, picture);
    });
    return views.every((view) => view !== undefined) ? views : [];
  });
}

function viewOf({ grid, indices }: TileReport, picture: Picture | undefined): TokenView | undefined {
  if (grid === undefined || picture === undefined) return undefined;
  const [rows, columns] = grid;
  return { picture, rows, columns, kept: indices };
}

/** Undoes the normalisation of one tile of `[…, 3, height, width]`; undefined for pixels laid out otherwise. */
function pictureOf(
  pixels: PixelTensor | undefined,
  tiles: number,
  tile: number,
  { image_mean, image_std }: ImageProcessing,
): Picture | undefined {
  const [channels, height, width] = pixels?.dims.slice(-3) ?? [];
  const isPlanar = channels === 3 && height !== undefined && width !== undefined;
  if (pixels === undefined || !isPlanar || pixels.data.length !== tiles * 3 * height * width)
    return undefined;
  const plane = height * width;
  const data = new Uint8Array(plane * 3);
  for (let channel = 0; channel < 3; channel++) {
    const mean = perChannel(image_mean, channel, 0);
    const std = perChannel(image_std, channel, 1);
    const start = (tile * 3 + channel) * plane;
    for (let i = 0; i < plane; i++) {
      const value = (pixels.data[start + i] as number) * std + mean;
      data[i * 3 + channel] = Math.max(0, Math.min(255, Math.round(value * 255)));
    }
  }
  return { data, width, height };
}

function perChannel(
  setting: readonly number[] | number | null | undefined,
  channel: number,
  otherwise: number,
): number {
  return (typeof setting === 'number' ? setting : setting?.[channel]) ?? otherwise;
}
