// The choice of tiles that a model encodes, for models that cut an image into tiles and an overview.

import type { TilePart } from './types.js';

/** The option `tiles` of `prune`, as far as the page sets it. */
export type TileChoice = 'all' | { readonly max: number } | { readonly worth: number };

/** What the page starts with: tiles worth at least 20% of the most useful one. */
export const DEFAULT_TILES: TileChoice = { worth: 0.2 };

/** Whether two choices are the same. */
export function isSameChoice(a: TileChoice | undefined, b: TileChoice | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Whether tiles can be chosen: the image is cut into tiles with known places, with an overview beside them. */
export function canChooseTiles(tiles: readonly TilePart[]): boolean {
  return (
    tiles.some(({ imagePart }) => imagePart === 'overview') &&
    tiles.some(({ imagePart }) => Array.isArray(imagePart))
  );
}

/** How many tiles were encoded, the overview included. */
export function encodedTiles(tiles: readonly TilePart[]): number {
  return tiles.filter(({ isSkipped }) => isSkipped !== true).length;
}
