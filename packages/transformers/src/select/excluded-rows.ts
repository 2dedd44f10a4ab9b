// Vision tokens that must not be kept, as rows of the encoder's output: those the caller names, and padding.

import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import { paddingTokens } from '../features/padding.js';
import type { ResolvedOptions } from '../options.js';
import type { PlacedImage } from '../prompt/prompt.js';

/**
 * Feature rows never to keep. They stay targets of coverage.
 * @param side the side, in pixels, of the square that images are padded to.
 * @throws PromptMismatchError if there is not one entry per image, or an entry does not fit its image.
 */
export function excludedRows(
  images: readonly PlacedImage[],
  { exclude, paddedFrom }: ResolvedOptions,
  side: number | undefined,
): Set<number> {
  for (const [name, list] of Object.entries({ exclude, paddedFrom })) {
    if (list !== undefined && list.length !== images.length) {
      throw new PromptMismatchError(
        `${name} has ${list.length} entries for ${images.length} images; give one per image`,
      );
    }
  }
  const rows = new Set<number>();
  images.forEach((image, at) => {
    const start = image.units[0]?.start ?? 0;
    for (const token of exclude?.[at] ?? []) {
      if (token >= image.tokens) {
        throw new PromptMismatchError(
          `exclude names token ${token} of image ${at}, which has ${image.tokens}`,
        );
      }
      rows.add(start + token);
    }
    const size = paddedFrom?.[at];
    if (size === undefined) return;
    const grid = image.units.length === 1 ? image.units[0]?.grid : undefined;
    if (grid === undefined || side === undefined) {
      throw new PromptMismatchError(
        'paddedFrom is for square-padded images that are one grid of vision tokens',
      );
    }
    for (const token of paddingTokens(size, grid, side)) rows.add(start + token);
  });
  return rows;
}
