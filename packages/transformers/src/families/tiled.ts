// Families that split an image into tiles, with one block of placeholders per tile or one block for all tiles.

import { phi3vAdapter } from '../adapters/phi3v.js';
import type { PrunedFamily } from './family.js';
import {
  endsWithMarker,
  endsWithOverview,
  negativeIds,
  tileOfImageMarker,
  tileOfMarker,
  tilesFromImageSizes,
  tilesFromRuns,
  tilesFromSpatialShapes,
} from './layout.js';
import { llavaLayout } from './llava.js';
import { cropTiling, imageTiling, patchTiling } from './tiling.js';

export const tiledFamilies: readonly PrunedFamily[] = [
  {
    ...llavaLayout,
    name: 'Idefics 3, SmolVLM',
    modelTypes: ['idefics3'],
    className: 'Idefics3ForConditionalGeneration',
    tiles: tilesFromRuns,
    endsImage: endsWithOverview,
    tileAt: tileOfMarker,
    tiling: imageTiling,
    notes: 'tiles share the budget of their image; tile markers stay even if a tile loses all its tokens',
    checkpoints: [
      { id: 'HuggingFaceTB/SmolVLM-256M-Instruct', size: '0.26 B' },
      { id: 'HuggingFaceTB/SmolVLM-Instruct', size: '2.2 B' },
    ],
  },
  {
    ...llavaLayout,
    name: 'SmolVLM 2',
    modelTypes: ['smolvlm'],
    className: 'SmolVLMForConditionalGeneration',
    tiles: tilesFromRuns,
    endsImage: endsWithOverview,
    tileAt: tileOfMarker,
    tiling: imageTiling,
    notes:
      'tiles share the budget of their image; tile markers stay even if a tile loses all its tokens; frames of a video are single tiles',
    checkpoints: [
      { id: 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct', size: '0.26 B' },
      { id: 'HuggingFaceTB/SmolVLM2-500M-Video-Instruct', size: '0.5 B' },
      { id: 'HuggingFaceTB/SmolVLM2-2.2B-Instruct', size: '2.2 B' },
    ],
  },
  {
    ...llavaLayout,
    name: 'LFM2-VL',
    modelTypes: ['lfm2_vl'],
    className: 'Lfm2VlForConditionalGeneration',
    tiles: tilesFromSpatialShapes,
    endsImage: endsWithMarker,
    tileAt: tileOfImageMarker,
    tiling: patchTiling,
    notes:
      'tiles share the budget of their image; tile markers stay; convolution layers see the kept tokens in order',
    checkpoints: [
      { id: 'onnx-community/LFM2-VL-450M-ONNX', size: '0.45 B' },
      { id: 'onnx-community/LFM2-VL-1.6B-ONNX', size: '1.6 B' },
    ],
  },
  {
    ...llavaLayout,
    name: 'Phi-3 Vision',
    modelTypes: ['phi3_v'],
    className: 'Phi3VForCausalLM',
    adapter: phi3vAdapter,
    isPlaceholder: negativeIds,
    tiles: tilesFromImageSizes,
    tiling: cropTiling,
    notes: 'the crops of an image share its budget',
    checkpoints: [{ id: 'onnx-community/Phi-3.5-vision-instruct', size: '4.1 B' }],
  },
];
