// What families have in common: how features get in, how positions count, how placeholders and units are read.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { PrunedFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { equalUnits, unitsFromGrids, unitsFromPixels, unitsFromRuns } from './units.js';

type Common = Omit<PrunedFamily, 'name' | 'modelTypes' | 'className' | 'notes' | 'checkpoints'>;

/** Models of the form of LLaVA: an encoder, a projector, one block of placeholders per image. */
export const llavaGroup: Common = {
  status: 'pruned',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
};

/** Images in tiles or of varying size, each a run of placeholders between markers. */
export const runsGroup: Common = { ...llavaGroup, units: unitsFromRuns };

/** Pixtral's encoder: images of any size, rows of placeholders with a break token after each. */
export const pixtralGroup: Common = { ...llavaGroup, units: unitsFromPixels };

/** Native resolution, patches merged to tokens, positions on three axes. */
export const qwenGroup: Common = {
  ...llavaGroup,
  positions: 'mrope',
  units: unitsFromGrids,
  textTemperature: 0.01,
};
