// Families with the LLaVA layout: an encoder, a projector, and one block of placeholders per image.

import { embeddingsAdapter } from '../adapters/embeddings.js';
import { llavaNextAdapter } from '../adapters/llava-next.js';
import { packingsOf } from '../internal/anyres.js';
import type { FamilyLayout, PrunedFamily } from './family.js';
import { equalTiles, imageTokenId, tilesFromPixels, tilesFromRuns } from './layout.js';

/** The properties shared by all families of this layout. */
export const llavaLayout: FamilyLayout = {
  status: 'pruned',
  adapter: embeddingsAdapter,
  positions: '1d',
  isPlaceholder: imageTokenId,
  tiles: equalTiles,
  textTemperature: 0.02,
  tap: 'projector',
};

export const llavaFamilies: readonly PrunedFamily[] = [
  {
    ...llavaLayout,
    name: 'LLaVA',
    modelTypes: ['llava'],
    className: 'LlavaForConditionalGeneration',
    notes: 'one block of tokens per image; padding of square-padded images can be excluded',
    checkpoints: [{ id: 'Xenova/nanoLLaVA', size: '1.0 B' }],
  },
  {
    ...llavaLayout,
    name: 'LLaVA-NeXT',
    modelTypes: ['llava_next'],
    className: 'LlavaForConditionalGeneration',
    loadedAs: 'llava',
    adapter: llavaNextAdapter,
    packing: packingsOf,
    allocation: 'perTile',
    notes:
      'transformers.js has no class for it: export it with `training/llava_next`, and load it with `loadVlm` or `createVlm`; ' +
      'by default each tile has its own budget, as in the official code; a pruned image has ' +
      'no newline tokens and contiguous positions',
    checkpoints: [],
  },
  {
    ...llavaLayout,
    name: 'LLaVA-OneVision',
    modelTypes: ['llava_onevision'],
    className: 'LlavaOnevisionForConditionalGeneration',
    noTiles: 'transformers.js passes one view of each image to the model, so there are no tiles',
    notes:
      'transformers.js has no processor for it, and no tiles: repeat `<image>` once per vision token in the prompt',
    checkpoints: [{ id: 'llava-hf/llava-onevision-qwen2-0.5b-ov-hf', size: '0.9 B' }],
  },
  {
    ...llavaLayout,
    name: 'FastVLM',
    modelTypes: ['llava_qwen2'],
    className: 'LlavaQwen2ForCausalLM',
    notes: 'one block of tokens per image',
    checkpoints: [{ id: 'onnx-community/FastVLM-0.5B-ONNX', size: '0.8 B' }],
  },
  {
    ...llavaLayout,
    name: 'Moondream 1',
    modelTypes: ['moondream1'],
    className: 'Moondream1ForConditionalGeneration',
    notes: 'one block of tokens per image',
    checkpoints: [{ id: 'Xenova/moondream2', size: '1.9 B' }],
  },
  {
    ...llavaLayout,
    name: 'PaliGemma',
    modelTypes: ['paligemma'],
    className: 'PaliGemmaForConditionalGeneration',
    firstPosition: 1,
    notes: 'all images come before the text',
    checkpoints: [{ id: 'onnx-community/paligemma2-3b-pt-224', size: '3.0 B' }],
  },
  {
    ...llavaLayout,
    name: 'Gemma 3',
    modelTypes: ['gemma3'],
    className: 'Gemma3ForConditionalGeneration',
    firstPosition: 1,
    notes: 'one block of 256 pooled tokens per image, between markers that stay',
    checkpoints: [{ id: 'onnx-community/gemma-3-4b-it-ONNX', size: '4.3 B' }],
  },
  {
    ...llavaLayout,
    name: 'Gemma 3n',
    modelTypes: ['gemma3n'],
    className: 'Gemma3nForConditionalGeneration',
    notes: 'per-layer inputs are shortened with the prompt; prompts with audio are processed whole',
    checkpoints: [{ id: 'onnx-community/gemma-3n-E2B-it-ONNX', size: '5.4 B' }],
  },
  {
    ...llavaLayout,
    name: 'Gemma 4',
    modelTypes: ['gemma4'],
    className: 'Gemma4ForConditionalGeneration',
    tiles: tilesFromRuns,
    notes: 'like Gemma 3n, with images of varying size',
    checkpoints: [{ id: 'onnx-community/gemma-4-E2B-it-ONNX', size: '5.1 B' }],
  },
  {
    ...llavaLayout,
    name: 'Mistral 3',
    modelTypes: ['mistral3'],
    className: 'Mistral3ForConditionalGeneration',
    tiles: tilesFromPixels,
    notes: 'Pixtral images of any size; break tokens between rows stay',
    checkpoints: [{ id: 'mistralai/Ministral-3-3B-Instruct-2512-ONNX', size: '3.8 B' }],
  },
  {
    ...llavaLayout,
    name: 'LightOnOCR',
    modelTypes: ['lighton_ocr'],
    className: 'LightOnOcrForConditionalGeneration',
    tiles: tilesFromPixels,
    notes: 'Pixtral images of any size; break tokens between rows stay',
    checkpoints: [{ id: 'onnx-community/LightOnOCR-2-1B-ONNX', size: '1.0 B' }],
  },
];
