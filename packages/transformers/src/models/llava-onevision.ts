// LLaVA-OneVision as transformers.js runs it: one block of tokens per image, without tiles.

import { embeddingsRoute } from '../hook/routes/embeddings-route.js';
import type { ModelFamily } from './family.js';
import { imageTokenId } from './placeholders.js';
import { equalUnits } from './units.js';

export const llavaOnevision: ModelFamily = {
  status: 'pruned',
  name: 'LLaVA-OneVision',
  modelTypes: ['llava_onevision'],
  className: 'LlavaOnevisionForConditionalGeneration',
  route: embeddingsRoute,
  positions: '1d',
  isPlaceholder: imageTokenId,
  units: equalUnits,
  textTemperature: 0.02,
  tap: 'projector',
  notes: 'transformers.js has no processor for it: repeat `<image>` once per vision token in the prompt',
  checkpoints: [{ id: 'llava-hf/llava-onevision-qwen2-0.5b-ov-hf', size: '0.9 B' }],
};
