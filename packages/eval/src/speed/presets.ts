// The dimensions of published models by name, as their configurations state them.

import { InvalidOptionsError } from '@mmtok/core';
import { type EncoderDims, type ModelDims, tokensPerTile, widthOf } from './dims.js';
import {
  clipLarge,
  daVit,
  fastVitHd,
  gemma4Tower,
  glmOcrTower,
  mobileNetV5,
  pixtralTower,
  qwen2Tower,
  qwen3Tower,
  qwen25Tower,
  siglip896,
  siglipBase,
  siglipLarge,
  siglipSo400m,
} from './encoders.js';

const vicuna7b = {
  hidden: 4096,
  layers: 32,
  heads: 32,
  keyValueHeads: 32,
  headDim: 128,
  intermediate: 11008,
  vocabulary: 32064,
  attentionBias: false,
} as const;

const vicuna13b = {
  ...vicuna7b,
  hidden: 5120,
  layers: 40,
  heads: 40,
  keyValueHeads: 40,
  intermediate: 13824,
} as const;

/** Qwen2-0.5B, with the vocabulary as exports pad it. */
const qwen2Small = {
  hidden: 896,
  layers: 24,
  heads: 14,
  keyValueHeads: 2,
  headDim: 64,
  intermediate: 4864,
  vocabulary: 152000,
  attentionBias: true,
} as const;

const shares = ['20%', '10%', '5%'] as const;

/** The encoder's result for an image: the number of vision tokens and their width before the projector. */
const seen = (encoder: EncoderDims, keep: readonly string[] = shares) => ({
  encoder,
  visionTokens: encoder.tiles * tokensPerTile(encoder),
  visionWidth: widthOf(encoder),
  keep,
});

/** One view, and at most five of them; budgets as in the paper. */
const llava = (hidden: number) => seen({ ...clipLarge, projector: [hidden] }, ['192', '128', '64']);
const llavaNext = (hidden: number) =>
  seen({ ...clipLarge, tiles: 5, projector: [hidden] }, ['640', '320', '160']);

/** An image as 4 × 4 tiles and an overview, 64 tokens each. Sixteen patches of width 768 make a token. */
const smolvlm = seen({ ...siglipBase, tiles: 17, merge: 4 });

/** Dimensions by name, as the `config.json` of each model has them. */
export const modelDims: Readonly<Record<string, ModelDims>> = {
  'llava-1.5-7b': { title: 'LLaVA-1.5-7B', ...vicuna7b, ...llava(4096) },
  'llava-1.5-13b': { title: 'LLaVA-1.5-13B', ...vicuna13b, ...llava(5120) },
  'llava-next-7b': { title: 'LLaVA-NeXT-7B (Vicuna)', ...vicuna7b, ...llavaNext(4096) },
  'llava-next-13b': { title: 'LLaVA-NeXT-13B (Vicuna)', ...vicuna13b, ...llavaNext(5120) },
  // An image as 2 × 2 tiles and an overview, 729 tokens each. The model uses 26 of the encoder's 27 layers.
  'llava-onevision-0.5b': {
    title: 'LLaVA-OneVision-0.5B',
    ...qwen2Small,
    ...seen({ ...siglipSo400m, layers: 26, tiles: 5, projector: [896] }),
  },
  // The image has 2,048 tokens, the largest in the paper's setting.
  'qwen2-vl-2b': {
    title: 'Qwen2-VL-2B',
    hidden: 1536,
    layers: 28,
    heads: 12,
    keyValueHeads: 2,
    headDim: 128,
    intermediate: 8960,
    vocabulary: 151936,
    attentionBias: true,
    ...seen(qwen2Tower),
  },
  'qwen2.5-vl-3b': {
    title: 'Qwen2.5-VL-3B',
    hidden: 2048,
    layers: 36,
    heads: 16,
    keyValueHeads: 2,
    headDim: 128,
    intermediate: 11008,
    vocabulary: 151936,
    attentionBias: true,
    ...seen(qwen25Tower),
  },
  'qwen2.5-vl-7b': {
    title: 'Qwen2.5-VL-7B',
    hidden: 3584,
    layers: 28,
    heads: 28,
    keyValueHeads: 4,
    headDim: 128,
    intermediate: 18944,
    vocabulary: 152064,
    attentionBias: true,
    ...seen(qwen25Tower),
  },
  'smolvlm-256m': {
    title: 'SmolVLM-256M',
    hidden: 576,
    layers: 30,
    heads: 9,
    keyValueHeads: 3,
    headDim: 64,
    intermediate: 1536,
    vocabulary: 49280,
    attentionBias: false,
    ...smolvlm,
  },
  'smolvlm-500m': {
    title: 'SmolVLM-500M',
    hidden: 960,
    layers: 32,
    heads: 15,
    keyValueHeads: 5,
    headDim: 64,
    intermediate: 2560,
    vocabulary: 49280,
    attentionBias: false,
    ...smolvlm,
  },
  // 17 tiles as above, 81 tokens each. Nine patches of width 1,152 make a token.
  'smolvlm-2.2b': {
    title: 'SmolVLM-2.2B',
    hidden: 2048,
    layers: 24,
    heads: 32,
    keyValueHeads: 32,
    headDim: 64,
    intermediate: 8192,
    vocabulary: 49280,
    attentionBias: false,
    ...seen({ ...siglipSo400m, tiles: 17, merge: 3 }),
  },
  // 17 tiles of 169 tokens each. Four patches of width 1,152 make a token.
  'idefics3-8b': {
    title: 'Idefics3-8B',
    hidden: 4096,
    layers: 32,
    heads: 32,
    keyValueHeads: 8,
    headDim: 128,
    intermediate: 14336,
    vocabulary: 128259,
    attentionBias: false,
    ...seen({ ...siglipSo400m, title: 'SigLIP-SO400M/14-364', grid: [26, 26], tiles: 17, merge: 2 }),
  },
  'paligemma-3b': {
    title: 'PaliGemma-3B-224',
    hidden: 2048,
    layers: 18,
    heads: 8,
    keyValueHeads: 1,
    headDim: 256,
    intermediate: 16384,
    vocabulary: 257216,
    attentionBias: false,
    ...seen({ ...siglipSo400m, title: 'SigLIP-SO400M/14-224', grid: [16, 16] }),
  },
  // 17 crops of 144 tokens each, without row separators.
  'phi-3-vision': {
    title: 'Phi-3-vision',
    hidden: 3072,
    layers: 32,
    heads: 32,
    keyValueHeads: 32,
    headDim: 96,
    intermediate: 8192,
    vocabulary: 32064,
    attentionBias: false,
    ...seen({ ...clipLarge, tiles: 17, merge: 2, projector: [3072] }),
  },
  'janus-pro-1b': {
    title: 'Janus-Pro-1B',
    hidden: 2048,
    layers: 24,
    heads: 16,
    keyValueHeads: 16,
    headDim: 128,
    intermediate: 5632,
    vocabulary: 102400,
    attentionBias: false,
    ...seen({ ...siglipLarge, projector: [2048] }),
  },
  // The language model is Qwen2-0.5B.
  'fastvlm-0.5b': {
    title: 'FastVLM-0.5B',
    ...qwen2Small,
    ...seen({ ...fastVitHd, projector: [896] }),
  },
  // The encoder of its BART, which reads image and text. The decoder, which reads a single token at first, is omitted, with the keys
  // and values that it computes of the encoder's output: a seventh of the whole.
  'florence-2-base': {
    title: 'Florence-2-base',
    hidden: 768,
    layers: 6,
    heads: 12,
    keyValueHeads: 12,
    headDim: 64,
    intermediate: 3072,
    gated: false,
    vocabulary: 51289,
    attentionBias: true,
    ...seen(daVit),
  },
  // Without AltUp, LAuReL, and per-layer embeddings; every layer computes its own keys and values.
  'gemma-3n-e2b': {
    title: 'Gemma-3n-E2B',
    hidden: 2048,
    layers: 30,
    heads: 8,
    keyValueHeads: 2,
    headDim: 256,
    intermediate: 8192,
    vocabulary: 262400,
    attentionBias: false,
    ...seen(mobileNetV5),
  },
  'gemma-3-4b': {
    title: 'Gemma-3-4B',
    hidden: 2560,
    layers: 34,
    heads: 8,
    keyValueHeads: 4,
    headDim: 256,
    intermediate: 10240,
    vocabulary: 262208,
    attentionBias: false,
    ...seen(siglip896),
  },
  // 15 layers are 6,144 wide and 20 are 12,288: all have the mean here. All heads are 256 wide (512 in every fifth layer of the
  // model), every layer computes its own keys and values, and per-layer embeddings are omitted.
  'gemma-4-e2b': {
    title: 'Gemma-4-E2B',
    hidden: 1536,
    layers: 35,
    heads: 8,
    keyValueHeads: 1,
    headDim: 256,
    intermediate: 9655,
    vocabulary: 262144,
    attentionBias: false,
    ...seen(gemma4Tower),
  },
  // Ten tiles and a thumbnail, 256 tokens each. Ten of the 16 layers are short convolutions in the model, and attention here: for each
  // token they take 4 instead of 3 million multiplications of 18.
  'lfm2-vl-450m': {
    title: 'LFM2-VL-450M',
    hidden: 1024,
    layers: 16,
    heads: 16,
    keyValueHeads: 8,
    headDim: 64,
    intermediate: 4608,
    vocabulary: 65536,
    attentionBias: false,
    ...seen({ ...siglipBase, title: 'SigLIP2-B/16-512', tiles: 11, merge: 2, projector: [2560] }),
  },
  'ministral-3-3b': {
    title: 'Ministral-3-3B',
    hidden: 3072,
    layers: 26,
    heads: 32,
    keyValueHeads: 8,
    headDim: 128,
    intermediate: 9216,
    vocabulary: 131072,
    attentionBias: false,
    ...seen({ ...pixtralTower, projector: [1024, 3072] }),
  },
  // The language model is Qwen3-0.6B (`LightOnOcrConfig` of transformers 5.24).
  'lighton-ocr-1b': {
    title: 'LightOnOCR-1B',
    hidden: 1024,
    layers: 28,
    heads: 16,
    keyValueHeads: 8,
    headDim: 128,
    intermediate: 3072,
    vocabulary: 151936,
    attentionBias: false,
    ...seen({ ...pixtralTower, projector: [1024, 1024] }),
  },
  'glm-ocr': {
    title: 'GLM-OCR',
    hidden: 1536,
    layers: 16,
    heads: 16,
    keyValueHeads: 8,
    headDim: 128,
    intermediate: 4608,
    vocabulary: 59392,
    attentionBias: false,
    ...seen(glmOcrTower),
  },
  // The language model is Phi-1.5. Its attention and feed-forward blocks run one after the other here, and side by side in the model.
  moondream2: {
    title: 'Moondream2',
    hidden: 2048,
    layers: 24,
    heads: 32,
    keyValueHeads: 32,
    headDim: 64,
    intermediate: 8192,
    gated: false,
    vocabulary: 51200,
    attentionBias: true,
    ...seen({ ...siglipSo400m, title: 'SigLIP-SO400M/14-378', projector: [8192] }),
  },
  'qwen3-vl-2b': {
    title: 'Qwen3-VL-2B',
    hidden: 2048,
    layers: 28,
    heads: 16,
    keyValueHeads: 8,
    headDim: 128,
    intermediate: 6144,
    vocabulary: 151936,
    attentionBias: false,
    ...seen(qwen3Tower),
  },
};

/**
 * Dimensions by name.
 * @throws InvalidOptionsError for an unknown name; lists the known ones.
 */
export function findModelDims(name: string): ModelDims {
  const found = Object.entries(modelDims).find(([known]) => known === name)?.[1];
  if (found !== undefined) return found;
  const all = Object.keys(modelDims).join(', ');
  throw new InvalidOptionsError('dims', [`unknown dimensions '${name}'; known: ${all}`]);
}
