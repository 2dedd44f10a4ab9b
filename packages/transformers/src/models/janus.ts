// Janus: understanding side only. Images and text are embedded by one session.

import { janusRoute } from '../hook/routes/janus-route.js';
import type { ModelFamily } from './family.js';
import { unitsFromRuns } from './units.js';

export const janus: ModelFamily = {
  status: 'pruned',
  name: 'Janus',
  modelTypes: ['multi_modality'],
  className: 'MultiModalityCausalLM',
  route: janusRoute,
  positions: '1d',
  units: unitsFromRuns,
  textTemperature: 0.02,
  tap: 'none',
  notes: 'image understanding; image generation is untouched; one prompt at a time, as upstream',
  checkpoints: [{ id: 'onnx-community/Janus-Pro-1B-ONNX', size: '1.5 B' }],
};
