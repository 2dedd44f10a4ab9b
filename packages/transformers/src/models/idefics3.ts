// Idefics 3 and SmolVLM: images cut into tiles of 64 or more tokens, each behind a marker, the whole image last.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily, UnitPlace } from './family.js';
import { imageTokenId } from './placeholders.js';
import { unitsFromRuns } from './units.js';

/** The small version of the whole image comes last, behind its own marker. */
function isWholeImage({ ids, first, tokenId }: UnitPlace): boolean {
  return ids[first - 1] === tokenId('<global-img>');
}

const common = {
  status: 'pruned',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  // Markers stand between tiles, so that each tile is one run of placeholders.
  units: unitsFromRuns,
  closesImage: isWholeImage,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'tiles share the budget of their image; tile markers stay even where a tile loses all its tokens',
} as const;

export const idefics3: ModelFamily = {
  ...common,
  name: 'Idefics 3',
  modelTypes: ['idefics3'],
  className: 'Idefics3ForConditionalGeneration',
  checkpoints: [
    { id: 'HuggingFaceTB/SmolVLM-256M-Instruct', size: '0.26 B' },
    { id: 'HuggingFaceTB/SmolVLM-Instruct', size: '2.2 B' },
  ],
};

export const smolvlm: ModelFamily = {
  ...common,
  name: 'SmolVLM 2',
  modelTypes: ['smolvlm'],
  className: 'SmolVLMForConditionalGeneration',
  checkpoints: [
    { id: 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct', size: '0.26 B' },
    { id: 'HuggingFaceTB/SmolVLM2-500M-Video-Instruct', size: '0.5 B' },
    { id: 'HuggingFaceTB/SmolVLM2-2.2B-Instruct', size: '2.2 B' },
  ],
};
