// Gemma 3n and Gemma 4: up to 280 tokens per image, and per-layer inputs beside the embeddings.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { equalUnits, unitsFromRuns } from './units.js';

export const gemma3n: ModelFamily = {
  status: 'pruned',
  name: 'Gemma 3n',
  modelTypes: ['gemma3n'],
  className: 'Gemma3nForConditionalGeneration',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'per-layer inputs are shortened with the prompt; prompts with audio are processed unpruned',
  checkpoints: [{ id: 'onnx-community/gemma-3n-E2B-it-ONNX', size: '5.4 B' }],
};

export const gemma4: ModelFamily = {
  status: 'pruned',
  name: 'Gemma 4',
  modelTypes: ['gemma4'],
  className: 'Gemma4ForConditionalGeneration',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: unitsFromRuns,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'as Gemma 3n, with images of varying size',
  checkpoints: [{ id: 'onnx-community/gemma-4-E2B-it-ONNX', size: '5.1 B' }],
};
