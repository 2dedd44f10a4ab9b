// Draws the image with its patches: kept ones bright, the rest dim, ranks or similarities as a heat map.

import type { Grid } from './types.js';

/** What a drawing shows. */
export interface Drawing {
  readonly bitmap: ImageBitmap;
  readonly grid: Grid | undefined;
  /** The heat of each patch, from 0 to 1; absent patches are dim. */
  readonly heat?: ReadonlyMap<number, number> | undefined;
  /** Patches that stay bright. */
  readonly bright: ReadonlySet<number>;
  /** Patches with an outline. */
  readonly outlined?: readonly number[];
  /** The patch in focus. */
  readonly focused?: number | undefined;
  /** Tiles that were not encoded, which are covered. */
  readonly skipped?: SkippedTiles | undefined;
}

/** Tiles of an image that were not encoded. */
export interface SkippedTiles {
  readonly tileGrid: Grid;
  /** Numbered row by row. */
  readonly tiles: readonly number[];
  /** Text drawn on each tile. Omitted on tiles that are too small for it. */
  readonly label?: string;
}

/** A scale from deep violet over red to light yellow: dark to light, so that it reads without colors too. */
const STOPS: readonly (readonly number[])[] = [
  [46, 16, 91],
  [122, 28, 109],
  [190, 55, 84],
  [237, 105, 37],
  [251, 180, 60],
  [252, 240, 165],
];

/** The color of a value from 0 to 1. */
export function heatColor(value: number, alpha = 1): string {
  const place = Math.max(0, Math.min(1, value)) * (STOPS.length - 1);
  const at = Math.min(Math.floor(place), STOPS.length - 2);
  const [low, high] = STOPS.slice(at, at + 2) as [number[], number[]];
  const mixed = low.map((from, channel) =>
    Math.round(from + ((high[channel] as number) - from) * (place - at)),
  );
  return `rgb(${mixed.join(' ')} / ${alpha})`;
}

/** Draws over the whole canvas, whose size in pixels is set already. */
export function draw(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { width, height } = context.canvas;
  const { bitmap, grid, heat, bright, outlined = [], focused, skipped } = drawing;
  context.clearRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  if (grid === undefined) return;
  const box = boxes(grid, width, height);
  for (let patch = 0; patch < grid[0] * grid[1]; patch++) {
    const value = heat?.get(patch);
    if (value !== undefined) {
      context.fillStyle = heatColor(value, 0.82);
      context.fillRect(...box(patch));
    } else if (heat !== undefined || !bright.has(patch)) {
      context.fillStyle = 'rgb(14 18 16 / 0.78)';
      context.fillRect(...box(patch));
    }
  }
  if (skipped !== undefined && skipped.tiles.length > 0) coverTiles(context, skipped);
  if (heat === undefined) outline(context, grid, bright, box);
  context.lineWidth = Math.max(1, width / 480);
  context.strokeStyle = 'rgb(255 255 255 / 0.9)';
  for (const patch of outlined) context.strokeRect(...inset(box(patch), context.lineWidth / 2));
  if (focused !== undefined) {
    const line = Math.max(2, width / 220);
    context.lineWidth = line * 2;
    context.strokeStyle = 'rgb(14 18 16 / 0.9)';
    context.strokeRect(...inset(box(focused), -line / 2));
    context.lineWidth = line;
    context.strokeStyle = '#ffd166';
    context.strokeRect(...inset(box(focused), -line / 2));
  }
}

/** Covers tiles that were not encoded, and draws the borders of the others. */
function coverTiles(context: CanvasRenderingContext2D, { tileGrid, tiles, label }: SkippedTiles): void {
  const { width, height } = context.canvas;
  const box = boxes(tileGrid, width, height);
  const covered = new Set(tiles);
  context.lineWidth = Math.max(1, width / 380);
  context.strokeStyle = 'rgb(244 243 238 / 0.5)';
  for (let tile = 0; tile < tileGrid[0] * tileGrid[1]; tile++) {
    if (!covered.has(tile)) context.strokeRect(...inset(box(tile), context.lineWidth / 2));
  }
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const tile of tiles) {
    const [x, y, tileWidth, tileHeight] = box(tile);
    context.fillStyle = 'rgb(14 18 16 / 0.4)';
    context.fillRect(x, y, tileWidth, tileHeight);
    if (label === undefined) continue;
    context.font = `${Math.round(tileWidth / 8)}px system-ui, sans-serif`;
    context.fillStyle = 'rgb(244 243 238 / 0.85)';
    context.fillText(label, x + tileWidth / 2, y + tileHeight / 2, tileWidth * 0.9);
  }
}

/** A line where kept patches meet others, so that they stand out on dark images as well. */
function outline(
  context: CanvasRenderingContext2D,
  [rows, columns]: Grid,
  bright: ReadonlySet<number>,
  box: (patch: number) => Box,
): void {
  const line = Math.max(1, Math.round(context.canvas.width / 460));
  context.fillStyle = 'rgb(255 209 102 / 0.85)';
  for (const patch of bright) {
    const [x, y, width, height] = box(patch);
    const column = patch % columns;
    const isOpen = (other: number, isInside: boolean): boolean => isInside && !bright.has(other);
    if (isOpen(patch - columns, patch >= columns)) context.fillRect(x, y, width, line);
    if (isOpen(patch + columns, patch < (rows - 1) * columns))
      context.fillRect(x, y + height - line, width, line);
    if (isOpen(patch - 1, column > 0)) context.fillRect(x, y, line, height);
    if (isOpen(patch + 1, column < columns - 1)) context.fillRect(x + width - line, y, line, height);
  }
}

type Box = [x: number, y: number, width: number, height: number];

/** The place of each patch, on whole pixels, so that no seams show. */
function boxes([rows, columns]: Grid, width: number, height: number): (patch: number) => Box {
  return (patch) => {
    const [row, column] = [Math.floor(patch / columns), patch % columns];
    const x = Math.round((column / columns) * width);
    const y = Math.round((row / rows) * height);
    return [
      x,
      y,
      Math.round(((column + 1) / columns) * width) - x,
      Math.round(((row + 1) / rows) * height) - y,
    ];
  };
}

const inset = ([x, y, width, height]: Box, by: number): Box => [
  x + by,
  y + by,
  width - 2 * by,
  height - 2 * by,
];

/** The patch at a point, both from 0 to 1. */
export function patchAt([rows, columns]: Grid, x: number, y: number): number {
  const row = Math.max(0, Math.min(rows - 1, Math.floor(y * rows)));
  return row * columns + Math.max(0, Math.min(columns - 1, Math.floor(x * columns)));
}
