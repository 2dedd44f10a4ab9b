// The dimensions of published models by name, as their configurations state them.

import { InvalidOptionsError } from '@mmtok/core';
import { type EncoderDims, type ModelDims, tokensPerTile } from './dims.js';

const plain = { gated: false, classToken: false, merge: 1, tiles: 1, projector: [] };

/** CLIP ViT-L/14 at 336 pixels. The projector reads the input of the last of its 24 layers, which exports omit. */
export const clipLarge: EncoderDims = {
  ...plain,
  title: 'CLIP-L/14-336',
  hidden: 1024,
  layers: 23,
  heads: 16,
  intermediate: 4096,
  patchValues: 588,
  grid: [24, 24],
  classToken: true,
};

/** SigLIP-B/16 at 512 pixels. */
export const siglipBase: EncoderDims = {
  ...plain,
  title: 'SigLIP-B/16-512',
  hidden: 768,
  layers: 12,
  heads: 12,
  intermediate: 3072,
  patchValues: 768,
  grid: [32, 32],
};

/** SigLIP-L/16 at 384 pixels. */
export const siglipLarge: EncoderDims = {
  ...plain,
  title: 'SigLIP-L/16-384',
  hidden: 1024,
  layers: 24,
  heads: 16,
  intermediate: 4096,
  patchValues: 768,
  grid: [24, 24],
};

/** SigLIP-SO400M/14 at 384 pixels. */
export const siglipSo400m: EncoderDims = {
  ...plain,
  title: 'SigLIP-SO400M/14-384',
  hidden: 1152,
  layers: 27,
  heads: 16,
  intermediate: 4304,
  patchValues: 588,
  grid: [27, 27],
};

/** The tower of Qwen2-VL on an image of 1,792 × 896 pixels: 8,192 patches of 14 pixels in two frames. */
export const qwen2Tower: EncoderDims = {
  ...plain,
  title: 'Qwen2-VL tower',
  hidden: 1280,
  layers: 32,
  heads: 16,
  intermediate: 5120,
  patchValues: 1176,
  grid: [64, 128],
  merge: 2,
  projector: [5120],
  anySizePatch: 14,
};

/** The tower of Qwen2.5-VL on the same image: windows of 112 pixels in at least three of four layers. */
export const qwen25Tower: EncoderDims = {
  ...qwen2Tower,
  title: 'Qwen2.5-VL tower',
  intermediate: 3420,
  gated: true,
  window: { side: 8, fullEvery: 8 },
};

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

const shares = ['20%', '10%', '5%'] as const;

/** The encoder's result for an image: the number of vision tokens and their width before the projector. */
const seen = (encoder: EncoderDims, keep: readonly string[] = shares) => ({
  encoder,
  visionTokens: encoder.tiles * tokensPerTile(encoder),
  visionWidth: encoder.hidden * encoder.merge ** 2,
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
    hidden: 896,
    layers: 24,
    heads: 14,
    keyValueHeads: 2,
    headDim: 64,
    intermediate: 4864,
    vocabulary: 152000,
    attentionBias: true,
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
};

/**
 * Dimensions by name.
 * @throws InvalidOptionsError for a name that is not there, with all that are.
 */
export function findModelDims(name: string): ModelDims {
  const found = Object.entries(modelDims).find(([known]) => known === name)?.[1];
  if (found !== undefined) return found;
  const all = Object.keys(modelDims).join(', ');
  throw new InvalidOptionsError('dims', [`there are no dimensions '${name}'; there are ${all}`]);
}
