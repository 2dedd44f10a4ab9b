// The table of all families, grouped by layout. A row spreads its layout and states only what differs.

import { embeddingsAdapter, encoderDecoderAdapter } from '../adapters/embeddings.js';
import { janusAdapter, phi3vAdapter } from '../adapters/joint-embedding.js';
import { llavaNextAdapter } from '../adapters/llava-next.js';
import { packingsOf } from '../internal/anyres.js';
import type { FamilyLayout, ModelFamily, PrunedFamily, UnsupportedFamily } from './family.js';
import {
  endsWithMarker,
  endsWithOverview,
  equalTiles,
  imageTokenId,
  negativeIds,
  tileOfImageMarker,
  tileOfMarker,
  tilesFromGrids,
  tilesFromImageSizes,
  tilesFromPixels,
  tilesFromRuns,
  tilesFromSpatialShapes,
} from './layout.js';
import { cropTiling, imageTiling, patchTiling } from './tiling.js';

/** The LLaVA layout: an encoder, a projector, and blocks of placeholders. Most families differ from it in a few properties. */
const llavaLayout: FamilyLayout = {
  status: 'pruned',
  adapter: embeddingsAdapter,
  positions: '1d',
  isPlaceholder: imageTokenId,
  tiles: equalTiles,
  textTemperature: 0.02,
  tap: 'projector',
};

/** One block of placeholders per image, or per part of it that the encoder sees. */
const llavaFamilies: readonly PrunedFamily[] = [
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

/** The properties shared by the families with the Idefics 3 layout. */
const idefics3Layout: FamilyLayout = {
  ...llavaLayout,
  tiles: tilesFromRuns,
  endsImage: endsWithOverview,
  tileAt: tileOfMarker,
  tiling: imageTiling,
};

/** Images split into tiles, with one block of placeholders per tile or one block for all tiles. */
const tiledFamilies: readonly PrunedFamily[] = [
  {
    ...idefics3Layout,
    name: 'Idefics 3, SmolVLM',
    modelTypes: ['idefics3'],
    className: 'Idefics3ForConditionalGeneration',
    notes: 'tiles share the budget of their image; tile markers stay even if a tile loses all its tokens',
    checkpoints: [
      { id: 'HuggingFaceTB/SmolVLM-256M-Instruct', size: '0.26 B' },
      { id: 'HuggingFaceTB/SmolVLM-Instruct', size: '2.2 B' },
    ],
  },
  {
    ...idefics3Layout,
    name: 'SmolVLM 2',
    modelTypes: ['smolvlm'],
    className: 'SmolVLMForConditionalGeneration',
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

/** The properties shared by the families with the Qwen2-VL layout. */
const qwenLayout: FamilyLayout = {
  ...llavaLayout,
  positions: 'mrope',
  tiles: tilesFromGrids,
  textTemperature: 0.01,
  officialText: 'prefixed',
};

const QWEN_NOTES =
  'kept tokens keep their positions on all three axes; transformers.js merges several images into one grid';

/** Native resolution, patches merged into tokens, three-axis positions. */
const qwenFamilies: readonly PrunedFamily[] = [
  {
    ...qwenLayout,
    name: 'Qwen2-VL',
    modelTypes: ['qwen2_vl'],
    className: 'Qwen2VLForConditionalGeneration',
    notes: QWEN_NOTES,
    checkpoints: [{ id: 'onnx-community/Qwen2-VL-2B-Instruct', size: '2.2 B' }],
  },
  {
    ...qwenLayout,
    name: 'Qwen2.5-VL',
    modelTypes: ['qwen2_5_vl'],
    className: 'Qwen2_5_VLForConditionalGeneration',
    notes: `${QWEN_NOTES}; features before the merger are in window order and are put back into image order; one dimension dominates all others, so set \`standardize: 'auto'\``,
    checkpoints: [{ id: 'onnx-community/Qwen2.5-VL-3B-Instruct-ONNX', size: '3.8 B' }],
  },
  {
    ...qwenLayout,
    name: 'Qwen3-VL',
    modelTypes: ['qwen3_vl', 'qwen3_vl_moe'],
    className: {
      qwen3_vl: 'Qwen3VLForConditionalGeneration',
      qwen3_vl_moe: 'Qwen3VLMoeForConditionalGeneration',
    },
    notes: `${QWEN_NOTES}; DeepStack features do not exist in transformers.js`,
    checkpoints: [{ id: 'onnx-community/Qwen3-VL-2B-Instruct-ONNX', size: '2.1 B' }],
  },
  {
    ...qwenLayout,
    name: 'Qwen3.5',
    modelTypes: ['qwen3_5', 'qwen3_5_moe'],
    className: {
      qwen3_5: 'Qwen3_5ForConditionalGeneration',
      qwen3_5_moe: 'Qwen3_5MoeForConditionalGeneration',
    },
    notes: `${QWEN_NOTES}; linear-attention layers see the kept tokens in order`,
    checkpoints: [{ id: 'onnx-community/Qwen3.5-0.8B-ONNX', size: '0.9 B' }],
  },
  {
    ...qwenLayout,
    name: 'GLM-OCR',
    modelTypes: ['glm_ocr'],
    className: 'GlmOcrForConditionalGeneration',
    textTemperature: 0.02,
    officialText: 'keywords',
    notes: 'kept tokens keep their positions on all three axes',
    checkpoints: [{ id: 'onnx-community/GLM-OCR-ONNX', size: '1.1 B' }],
  },
];

/** Layouts of their own. */
const otherFamilies: readonly PrunedFamily[] = [
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

/** What transformers.js can run, but has nothing to prune. */
const unsupportedFamilies: readonly UnsupportedFamily[] = [
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

/** Every family that transformers.js can run. */
export const families: readonly ModelFamily[] = [
  ...llavaFamilies,
  ...tiledFamilies,
  ...qwenFamilies,
  ...otherFamilies,
  ...unsupportedFamilies,
];
