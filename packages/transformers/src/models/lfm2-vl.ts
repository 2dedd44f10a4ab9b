// LFM2-VL: tiles of varying size with row and column markers, and a decoder that is part convolution.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily, UnitPlace } from './family.js';
import { imageTokenId } from './placeholders.js';
import { unitsFromSpatialShapes } from './units.js';

/** An image is closed by its end marker; a tile is followed by the marker of the next. */
function isClosed({ ids, last, tokenId }: UnitPlace): boolean {
  return ids[last + 1] === tokenId('<|image_end|>');
}

export const lfm2Vl: ModelFamily = {
  status: 'pruned',
  name: 'LFM2-VL',
  modelTypes: ['lfm2_vl'],
  className: 'Lfm2VlForConditionalGeneration',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: unitsFromSpatialShapes,
  closesImage: isClosed,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'tiles share the budget of their image; tile markers stay',
  checkpoints: [
    { id: 'onnx-community/LFM2-VL-450M-ONNX', size: '0.45 B' },
    { id: 'onnx-community/LFM2-VL-1.6B-ONNX', size: '1.6 B' },
  ],
};
