// Which vision tokens show nothing but the padding that made a picture square (MMTok on LLaVA 1.5). Geometry only.

import type { PictureSize } from '../options.js';

/**
 * Tokens of a `grid` whose patches lie wholly within the padding of a picture of `size` padded to a square of `side`
 * pixels, with the picture centred: the excluded candidates of the official MMTok.
 * @see https://arxiv.org/abs/2508.18264 (Appendix C)
 */
export function paddingTokens(
  size: PictureSize,
  [rows, columns]: readonly [number, number],
  side: number,
): number[] {
  const { width, height } = size;
  const wide = width >= height;
  const count = wide ? rows : columns;
  const patch = side / count;
  const shown = Math.round((wide ? height : width) * (side / Math.max(width, height)));
  const before = Math.floor((side - shown) / 2);
  const after = side - shown - before;
  const leading = Math.floor(before / patch);
  const trailing = count - Math.floor(after / patch);
  const isPadding = (line: number): boolean => line < leading || line >= trailing;
  return Array.from({ length: rows * columns }, (_, token) => token).filter((token) =>
    isPadding(wide ? Math.floor(token / columns) : token % columns),
  );
}
