// Overlays: images with dropped patches dimmed and kept ones framed, as a PNG. A tiled image is drawn as a whole, with its overview
// below; tiles that were not encoded are nearly black. Overlays contain no text, so they look the same on machines without fonts.

import { imageGrids, sum, type TokenGrid, tilingOf, tokenMarks } from '@mmtok/core/internal';
import type { ImageReport, TileReport } from '@mmtok/transformers';
import type { OverlayOptions } from 'sharp';
import type { RgbImage } from './read-image.js';

/** An image with its grid of vision tokens and the kept ones. */
export interface TokenView extends TokenGrid {
  readonly image: RgbImage;
}

/** The views of one image: the whole image, then its overview, or what the encoder saw, tile by tile. */
export interface OverlayPanel {
  readonly views: readonly TokenView[];
  /** How many views stand side by side. @default as many as make the panel about square */
  readonly viewColumns?: number;
}

/** Options of {@link renderOverlay}. */
export interface OverlayLayout {
  /** How many panels stand side by side. @default at most 3 */
  readonly columns?: number;
  /** Width of a panel in pixels. @default 448 */
  readonly panelWidth?: number;
}

const MARGIN = 24;
const VIEW_GAP = 4;
/** Maximum height of a view, relative to the width of its cell. */
const TALLEST = 4;
/** Minimum width and height of a view in pixels. */
const THINNEST = 16;

/**
 * Draws panels in rows.
 * @returns The bytes of a PNG file.
 */
export async function renderOverlay(
  panels: readonly OverlayPanel[],
  layout: OverlayLayout = {},
): Promise<Buffer> {
  const { columns = Math.min(panels.length, 3), panelWidth = 448 } = layout;
  const { default: sharp } = await import('sharp');
  const images: OverlayOptions[] = [];
  const marks: string[] = [];
  let top = MARGIN;
  for (let first = 0; first < panels.length; first += columns) {
    const row = panels.slice(first, first + columns).map((panel, column) => {
      const left = MARGIN + column * (panelWidth + MARGIN);
      const views = placeViews(panel, panelWidth);
      return { left, views };
    });
    for (const { left, views } of row) {
      for (const { view, x, y, width, height } of views.places) {
        images.push({ input: await scale(view.image, width, height), left: left + x, top: top + y });
        marks.push(
          `<svg x="${left + x}" y="${top + y}" width="${width}" height="${height}">${tokenMarks(view, width, height)}</svg>`,
        );
      }
    }
    top += Math.max(...row.map(({ views }) => views.height)) + MARGIN;
  }
  const width = MARGIN + columns * (panelWidth + MARGIN);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}">${marks.join('')}</svg>`;
  return sharp({ create: { width, height: top, channels: 3, background: 'white' } })
    .composite([...images, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png({ palette: true, quality: 95 })
    .toBuffer();
}

interface Place {
  readonly view: TokenView;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Lays out the views of a panel in rows of equal cells. */
function placeViews(
  { views, viewColumns }: OverlayPanel,
  panelWidth: number,
): { readonly places: readonly Place[]; readonly height: number } {
  const columns = viewColumns ?? Math.ceil(Math.sqrt(views.length));
  const width = Math.floor((panelWidth - VIEW_GAP * (columns - 1)) / columns);
  const places: Place[] = [];
  let y = 0;
  for (let first = 0; first < views.length; first += columns) {
    const row = views.slice(first, first + columns).map((view, column): Place => {
      return { view, x: column * (width + VIEW_GAP), y, ...sizeWithin(view.image, width) };
    });
    places.push(...row);
    y += Math.max(...row.map(({ height }) => height)) + VIEW_GAP;
  }
  return { places, height: y - VIEW_GAP };
}

/**
 * The size of an image in a cell. Extremely tall or wide images are distorted: undistorted they would be a line, or exceed the
 * limits of an image file.
 */
function sizeWithin(
  { width: columns, height: rows }: RgbImage,
  cellWidth: number,
): { readonly width: number; readonly height: number } {
  const tallest = cellWidth * TALLEST;
  const height = Math.round((cellWidth * rows) / columns);
  if (height <= tallest) return { width: cellWidth, height: Math.max(height, THINNEST) };
  const width = Math.round((tallest * columns) / rows);
  return { width: Math.min(cellWidth, Math.max(width, THINNEST)), height: Math.round(tallest) };
}

/** The image at that size. Small images become soft rather than blocky, so that only token borders look like edges. */
async function scale(
  { data, width: columns, height: rows }: RgbImage,
  width: number,
  height: number,
): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp(data, { raw: { width: columns, height: rows, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'lanczos3' })
    .png()
    .toBuffer();
}

/** The settings of an image processor that decide what the encoder sees. */
export interface ImageProcessing {
  readonly do_center_crop?: boolean | null;
  readonly do_pad?: boolean | null;
  readonly image_mean?: readonly number[] | number | null;
  readonly image_std?: readonly number[] | number | null;
}

/** A float tensor as the processor returned it. */
export interface PixelTensor {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

/** What the image processor returned. */
export interface Processed {
  readonly pixels: PixelTensor | undefined;
  readonly processing: ImageProcessing;
}

/**
 * A panel for each image whose tokens form a grid. If the places of an image's tiles are unknown, or the processor crops or pads
 * the image, what the encoder saw is recovered from its input, so that every token is drawn where it belongs.
 */
export function overlayPanels(
  reports: readonly ImageReport[],
  originals: readonly RgbImage[],
  { pixels, processing }: Processed,
): OverlayPanel[] {
  let tile = 0;
  const tiles = sum(reports.map((report) => report.tiles.length));
  const isWhole = !processing.do_center_crop && !processing.do_pad;
  return reports.flatMap((report, i): OverlayPanel[] => {
    const first = tile;
    tile += report.tiles.length;
    const image = originals[i];
    const tiling = tilingOf(report.tiles);
    if (image !== undefined && tiling !== undefined) {
      return [
        { views: imageGrids(tiling, report.indices).map((grid) => ({ image, ...grid })), viewColumns: 1 },
      ];
    }
    const views = report.tiles.map((own, t): TokenView | undefined => {
      const original = report.tiles.length === 1 && isWhole ? image : undefined;
      return viewOf(own, original ?? imageOf(pixels, tiles, first + t, processing));
    });
    if (!views.every((view) => view !== undefined)) return [];
    return [{ views }];
  });
}

function viewOf(
  { grid, indices, unencoded }: TileReport,
  image: RgbImage | undefined,
): TokenView | undefined {
  if (grid === undefined || image === undefined) return undefined;
  const [rows, columns] = grid;
  return { image, rows, columns, kept: indices, ...(unencoded && { unencoded }) };
}

/** Undoes the normalization of one tile of `[…, 3, height, width]`; undefined for other layouts. */
function imageOf(
  pixels: PixelTensor | undefined,
  tiles: number,
  tile: number,
  { image_mean, image_std }: ImageProcessing,
): RgbImage | undefined {
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
