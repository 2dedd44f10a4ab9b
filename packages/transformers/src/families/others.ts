// Families with their own layouts, and families that transformers.js can run but that have nothing to prune.

import { encoderDecoderAdapter } from '../adapters/embeddings.js';
import { janusAdapter } from '../adapters/janus.js';
import type { PrunedFamily, UnsupportedFamily } from './family.js';
import { equalTiles, tilesFromRuns } from './layout.js';

export const otherFamilies: readonly PrunedFamily[] = [
  {
    status: 'pruned',
    name: 'Florence-2',
    modelTypes: ['florence2'],
    className: 'Florence2ForConditionalGeneration',
    adapter: encoderDecoderAdapter,
    positions: 'encoder',
    tiles: equalTiles,
    textTemperature: 0.02,
    tap: 'projector',
    notes:
      'the text is the task prompt; boxes and regions come from fewer tokens, so expect them to be coarser',
    checkpoints: [
      { id: 'onnx-community/Florence-2-base-ft', size: '0.23 B' },
      { id: 'onnx-community/Florence-2-large-ft', size: '0.77 B' },
    ],
  },
  {
    status: 'pruned',
    name: 'Janus',
    modelTypes: ['multi_modality'],
    className: 'MultiModalityCausalLM',
    adapter: janusAdapter,
    positions: '1d',
    tiles: tilesFromRuns,
    textTemperature: 0.02,
    tap: 'none',
    notes:
      'image understanding only; image generation is unchanged; one prompt at a time, as in transformers.js',
    checkpoints: [{ id: 'onnx-community/Janus-Pro-1B-ONNX', size: '1.5 B' }],
  },
];

export const unsupportedFamilies: readonly UnsupportedFamily[] = [
  {
    status: 'unsupported',
    name: 'Ultravox, Voxtral, Granite Speech',
    modelTypes: ['ultravox', 'voxtral', 'voxtral_realtime', 'granite_speech'],
    reason: 'it is an audio-only model, so it has no vision tokens to prune',
  },
  {
    status: 'unsupported',
    name: 'TrOCR, Donut, captioners',
    modelTypes: ['vision-encoder-decoder'],
    reason:
      'its decoder reads the image only by cross-attention, so fewer vision tokens would save almost nothing',
  },
];
