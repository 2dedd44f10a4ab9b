// Counts the tiles that the encoder takes.

import type { PrunedFamily } from '../families/family.js';
import { type ModelInputs, tensorAt } from '../internal/types.js';

/** The tiles of all images, including overviews; 1 for families that do not tile images, because there is nothing to skip. */
export function tileCount({ tiling }: Pick<PrunedFamily, 'tiling'>, inputs: ModelInputs): number {
  const dims = tensorAt(inputs, 'pixel_values')?.dims;
  if (tiling === undefined || dims === undefined) return 1;
  const [first = 1, second = 1] = dims;
  return Math.max(1, dims.length === 5 ? first * second : first);
}
