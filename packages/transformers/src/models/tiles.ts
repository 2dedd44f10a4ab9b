// Where the tiles of an image end, told by the markers around them.

import type { UnitPlace } from './family.js';

/** Idefics and SmolVLM: the small version of the whole image comes last, behind its own marker. */
export function endsWithWhole({ ids, first, tokenId }: UnitPlace): boolean {
  return ids[first - 1] === tokenId('<global-img>');
}

/** LFM2-VL: an image is closed by its end marker; a tile is followed by the marker of the next. */
export function endsWithMarker({ ids, last, tokenId }: UnitPlace): boolean {
  return ids[last + 1] === tokenId('<|image_end|>');
}
