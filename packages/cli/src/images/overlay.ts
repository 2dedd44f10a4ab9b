// What an overlay shows, as plain data. Drawing is the other files' work.

import { type TokenGrid, tokenMarks } from '@mmtok/core/internal';
import type { OverlayOptions } from 'sharp';
import { layOutCaption } from '../overlay/caption.js';
import { loadFont } from '../overlay/font.js';
import type { Picture } from './picture.js';

/** A picture with its grid of vision tokens and the ones that were kept. */
export interface TokenView extends TokenGrid {
  readonly picture: Picture;
}

/** A line of the caption; it wraps where it is too long. */
export interface CaptionLine {
  readonly text: string;
  /** How it is set: `question` and `note` are quiet, `good` and `bad` are answers known to be right or wrong. */
  readonly style: 'question' | 'answer' | 'good' | 'bad' | 'note';
}

/** One or more views (an image, or the tiles of an image) over one caption. */
export interface OverlayPanel {
  readonly views: readonly TokenView[];
  /** How many views stand beside each other. @default as many as make the panel about square */
  readonly viewColumns?: number;
  readonly caption: readonly CaptionLine[];
}

/** Options of {@link renderOverlay}. */
export interface OverlayLayout {
  /** How many panels stand beside each other. @default at most 3 */
  readonly columns?: number;
  /** Width of a panel in pixels. @default 448 */
  readonly panelWidth?: number;
}

const MARGIN = 24;
const VIEW_GAP = 4;
const CAPTION_GAP = 12;
const TEXT_SIZE = 18;
/** Height of a view over the width of its cell at most. */
const TALLEST = 4;
/** Pixels that a view has in each direction at least. */
const THINNEST = 16;

/**
 * Draws panels, row after row.
 * @returns The bytes of a PNG file.
 */
export async function renderOverlay(
  panels: readonly OverlayPanel[],
  layout: OverlayLayout = {},
): Promise<Buffer> {
  const { columns = Math.min(panels.length, 3), panelWidth = 448 } = layout;
  const { default: sharp } = await import('sharp');
  const font = await loadFont();
  const pictures: OverlayOptions[] = [];
  const marks: string[] = [];
  let top = MARGIN;
  for (let first = 0; first < panels.length; first += columns) {
    const row = panels.slice(first, first + columns).map((panel, column) => {
      const left = MARGIN + column * (panelWidth + MARGIN);
      const views = placeViews(panel, panelWidth);
      const caption = layOutCaption(font, panel.caption, panelWidth, TEXT_SIZE);
      return { left, views, caption };
    });
    const viewsHeight = Math.max(...row.map(({ views }) => views.height));
    for (const { left, views, caption } of row) {
      for (const { view, x, y, width, height } of views.places) {
        pictures.push({ input: await scale(view.picture, width, height), left: left + x, top: top + y });
        marks.push(
          `<svg x="${left + x}" y="${top + y}" width="${width}" height="${height}">${tokenMarks(view, width, height)}</svg>`,
        );
      }
      marks.push(caption.draw(left, top + viewsHeight + CAPTION_GAP));
    }
    top += viewsHeight + CAPTION_GAP + Math.max(...row.map(({ caption }) => caption.height)) + MARGIN;
  }
  const width = MARGIN + columns * (panelWidth + MARGIN);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}">${marks.join('')}</svg>`;
  return sharp({ create: { width, height: top, channels: 3, background: 'white' } })
    .composite([...pictures, { input: Buffer.from(svg), left: 0, top: 0 }])
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

/** Lays the views of a panel out in rows of equal cells. */
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
      return { view, x: column * (width + VIEW_GAP), y, ...sizeWithin(view.picture, width) };
    });
    places.push(...row);
    y += Math.max(...row.map(({ height }) => height)) + VIEW_GAP;
  }
  return { places, height: y - VIEW_GAP };
}

/**
 * The size of a picture in a cell of some width. One that is far higher than wide, or wider than high, is drawn with another
 * shape than it has: in its own it would be a line, or beyond what an image file can hold.
 */
function sizeWithin(
  { width: columns, height: rows }: Picture,
  cellWidth: number,
): { readonly width: number; readonly height: number } {
  const tallest = cellWidth * TALLEST;
  const height = Math.round((cellWidth * rows) / columns);
  if (height <= tallest) return { width: cellWidth, height: Math.max(height, THINNEST) };
  const width = Math.round((tallest * columns) / rows);
  return { width: Math.min(cellWidth, Math.max(width, THINNEST)), height: Math.round(tallest) };
}

/** The picture in that size; small ones become soft rather than blocky, so that only token borders look like edges. */
async function scale(
  { data, width: columns, height: rows }: Picture,
  width: number,
  height: number,
): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp(data, { raw: { width: columns, height: rows, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'lanczos3' })
    .png()
    .toBuffer();
}
