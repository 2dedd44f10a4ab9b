// Published models by name: a language model, a vision encoder, and the image that they are measured on.

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
  qwen35Tower,
  siglip896,
  siglipBase,
  siglipLarge,
  siglipSo400m,
} from './encoders.js';
import {
  bartBaseEncoder,
  deepSeek1b,
  gemma2b,
  gemma3nE2b,
  gemma4E2b,
  gemma34b,
  glmOcrText,
  type LanguageModel,
  lfm2Small,
  llama8b,
  ministral3b,
  phi3Mini,
  phi15,
  qwen2Small,
  qwen2Vl2b,
  qwen3Small,
  qwen3Vl2b,
  qwen25Vl3b,
  qwen25Vl7b,
  qwen35Small,
  smolLm135m,
  smolLm360m,
  smolLm1700m,
  vicuna7b,
  vicuna13b,
} from './language-models.js';

/** A model that reads what the encoder makes of an image, with default budgets. */
const model = (
  title: string,
  decoder: LanguageModel,
  encoder: EncoderDims,
  keep: readonly string[] = ['20%', '10%', '5%'],
): ModelDims => ({
  title,
  ...decoder,
  encoder,
  visionTokens: encoder.tiles * tokensPerTile(encoder),
  visionWidth: widthOf(encoder),
  keep,
});

/** Budgets of the paper for LLaVA-1.5, which sees one view, and LLaVA-NeXT, which sees five at most. */
const llavaBudgets = ['192', '128', '64'];
const llavaNextBudgets = ['640', '320', '160'];

/** An image as 4 × 4 tiles and an overview, 64 tokens each. Sixteen patches of width 768 make a token. */
const smolVlmEncoder = { ...siglipBase, tiles: 17, merge: 4 };

/** Dimensions by name. */
export const modelDims: Readonly<Record<string, ModelDims>> = {
  'llava-1.5-7b': model('LLaVA-1.5-7B', vicuna7b, { ...clipLarge, projector: [4096] }, llavaBudgets),
  'llava-1.5-13b': model('LLaVA-1.5-13B', vicuna13b, { ...clipLarge, projector: [5120] }, llavaBudgets),
  'llava-next-7b': model(
    'LLaVA-NeXT-7B (Vicuna)',
    vicuna7b,
    { ...clipLarge, tiles: 5, projector: [4096] },
    llavaNextBudgets,
  ),
  'llava-next-13b': model(
    'LLaVA-NeXT-13B (Vicuna)',
    vicuna13b,
    { ...clipLarge, tiles: 5, projector: [5120] },
    llavaNextBudgets,
  ),
  // An image as 2 × 2 tiles and an overview, 729 tokens each. The model uses 26 of the encoder's 27 layers.
  'llava-onevision-0.5b': model('LLaVA-OneVision-0.5B', qwen2Small, {
    ...siglipSo400m,
    layers: 26,
    tiles: 5,
    projector: [896],
  }),
  // The image has 2,048 tokens, the largest in the paper's setting.
  'qwen2-vl-2b': model('Qwen2-VL-2B', qwen2Vl2b, qwen2Tower),
  'qwen2.5-vl-3b': model('Qwen2.5-VL-3B', qwen25Vl3b, qwen25Tower),
  'qwen2.5-vl-7b': model('Qwen2.5-VL-7B', qwen25Vl7b, qwen25Tower),
  'qwen3-vl-2b': model('Qwen3-VL-2B', qwen3Vl2b, qwen3Tower),
  'qwen3.5-0.8b': model('Qwen3.5-0.8B', qwen35Small, qwen35Tower),
  'smolvlm-256m': model('SmolVLM-256M', smolLm135m, smolVlmEncoder),
  'smolvlm-500m': model('SmolVLM-500M', smolLm360m, smolVlmEncoder),
  // 17 tiles as above, 81 tokens each. Nine patches of width 1,152 make a token.
  'smolvlm-2.2b': model('SmolVLM-2.2B', smolLm1700m, { ...siglipSo400m, tiles: 17, merge: 3 }),
  // 17 tiles of 169 tokens each. Four patches of width 1,152 make a token.
  'idefics3-8b': model('Idefics3-8B', llama8b, {
    ...siglipSo400m,
    title: 'SigLIP-SO400M/14-364',
    grid: [26, 26],
    tiles: 17,
    merge: 2,
  }),
  // Ten tiles and a thumbnail, 256 tokens each.
  'lfm2-vl-450m': model('LFM2-VL-450M', lfm2Small, {
    ...siglipBase,
    title: 'SigLIP2-B/16-512',
    tiles: 11,
    merge: 2,
    projector: [2560],
  }),
  'fastvlm-0.5b': model('FastVLM-0.5B', qwen2Small, { ...fastVitHd, projector: [896] }),
  'florence-2-base': model('Florence-2-base', bartBaseEncoder, daVit),
  'gemma-3n-e2b': model('Gemma-3n-E2B', gemma3nE2b, mobileNetV5),
  'gemma-3-4b': model('Gemma-3-4B', gemma34b, siglip896),
  'gemma-4-e2b': model('Gemma-4-E2B', gemma4E2b, gemma4Tower),
  'paligemma-3b': model('PaliGemma-3B-224', gemma2b, {
    ...siglipSo400m,
    title: 'SigLIP-SO400M/14-224',
    grid: [16, 16],
  }),
  'ministral-3-3b': model('Ministral-3-3B', ministral3b, { ...pixtralTower, projector: [1024, 3072] }),
  'lighton-ocr-1b': model('LightOnOCR-1B', qwen3Small, { ...pixtralTower, projector: [1024, 1024] }),
  'glm-ocr': model('GLM-OCR', glmOcrText, glmOcrTower),
  moondream2: model('Moondream2', phi15, {
    ...siglipSo400m,
    title: 'SigLIP-SO400M/14-378',
    projector: [8192],
  }),
  // 17 crops of 144 tokens each, without row separators.
  'phi-3-vision': model('Phi-3-vision', phi3Mini, { ...clipLarge, tiles: 17, merge: 2, projector: [3072] }),
  'janus-pro-1b': model('Janus-Pro-1B', deepSeek1b, { ...siglipLarge, projector: [2048] }),
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
