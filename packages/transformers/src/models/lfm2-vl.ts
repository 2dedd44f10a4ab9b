// LFM2-VL: tiles of varying size with row and column markers, and a decoder that is part convolution.

import type { ModelFamily } from './family.js';
import { llavaGroup } from './groups.js';
import { endsWithMarker } from './tiles.js';
import { unitsFromSpatialShapes } from './units.js';

export const lfm2Vl: ModelFamily = {
  ...llavaGroup,
  name: 'LFM2-VL',
  modelTypes: ['lfm2_vl'],
  className: 'Lfm2VlForConditionalGeneration',
  units: unitsFromSpatialShapes,
  closesImage: endsWithMarker,
  notes:
    'tiles share the budget of their image; tile markers stay; convolution layers see the kept tokens in order',
  checkpoints: [
    { id: 'onnx-community/LFM2-VL-450M-ONNX', size: '0.45 B' },
    { id: 'onnx-community/LFM2-VL-1.6B-ONNX', size: '1.6 B' },
  ],
};
