import { describe, expect, it } from 'vitest';
import { dims, tiled } from '../../test/small-dims.js';
import {
  atImageSize,
  type EncoderDims,
  encoderScale,
  firstTokenCosts,
  parameterCounts,
  parseModelDims,
  widthOf,
} from './dims.js';
import { encoderBytes } from './encoder.js';
import { findModelDims, modelDims } from './presets.js';

/** Weights of a model's encoder and projector. */
function encoderWeights(name: string): number {
  const { encoder, hidden } = findModelDims(name);
  const layers = encoder !== undefined && 'layers' in encoder ? encoder.layers : 0;
  return encoderBytes({ encoder: encoder as EncoderDims, layers, dtype: 'fp32', hidden }) / 4;
}

describe('dimensions', () => {
  // Millions of weights in the published checkpoints, and those that are not run or counted here: an embedding table that is not
  // tied to the head, DeepStack (Qwen3-VL), multi-token prediction (Qwen3.5).
  it.each([
    ['llava-1.5-7b', 7063.4, 131.3],
    ['qwen2-vl-2b', 2209, 0],
    ['qwen2.5-vl-3b', 3754.6, 0],
    ['qwen2.5-vl-7b', 8292.2, 545],
    ['qwen3-vl-2b', 2127.5, 75.5],
    ['qwen3.5-0.8b', 873.4, 20.5],
    ['smolvlm-256m', 256.5, 28.4],
    ['smolvlm-500m', 507.5, 47.3],
    ['paligemma-3b', 2923.5, 0],
    ['phi-3-vision', 4146.6, 98.5],
    ['gemma-3-4b', 4300.1, 0],
    ['ministral-3-3b', 3849.1, 0],
  ])('of %s add up to %d million weights within 2 %', (name, published, notRun) => {
    const { layers, head } = parameterCounts(findModelDims(name));
    const counted = (layers + head + encoderWeights(name)) / 1e6;
    expect(Math.abs(counted / (published - notRun) - 1)).toBeLessThan(0.02);
  });

  // Billions of weights of the language models alone, without tables of embeddings that are not tied to the head.
  it.each([
    ['llava-1.5-13b', 12.85],
    ['llava-next-7b', 6.61],
    ['llava-next-13b', 12.85],
    ['llava-onevision-0.5b', 0.494],
    ['smolvlm-2.2b', 1.71],
    ['idefics3-8b', 7.5],
    ['lfm2-vl-450m', 0.354],
    ['fastvlm-0.5b', 0.494],
    ['florence-2-base', 0.082],
    ['gemma-3n-e2b', 2.36],
    ['gemma-4-e2b', 2.21],
    ['lighton-ocr-1b', 0.596],
    ['glm-ocr', 0.582],
    ['moondream2', 1.31],
    ['janus-pro-1b', 1.44],
  ])('of the language model of %s add up to %d billion weights', (name, billions) => {
    const { layers, head } = parameterCounts(findModelDims(name));
    expect(Math.abs((layers + head) / 1e9 / billions - 1)).toBeLessThan(0.02);
  });

  it.each(Object.entries(modelDims))('of %s pass the checks of dimensions from a file', (_, found) => {
    expect(parseModelDims(found)).toEqual(found);
  });

  // Of the encoders as published, without positions and, for CLIP, the last layer.
  it.each([
    ['llava-1.5-7b', 'CLIP-L/14-336', 576],
    ['llava-next-7b', 'CLIP-L/14-336', 2880],
    ['smolvlm-256m', 'SigLIP-B/16-512', 1088],
    ['smolvlm-2.2b', 'SigLIP-SO400M/14-384', 1377],
    ['idefics3-8b', 'SigLIP-SO400M/14-364', 2873],
    ['llava-onevision-0.5b', 'SigLIP-SO400M/14-384', 3645],
    ['qwen2.5-vl-7b', 'Qwen2.5-VL tower', 2048],
    ['janus-pro-1b', 'SigLIP-L/16-384', 576],
    ['fastvlm-0.5b', 'FastViTHD-1024', 256],
    ['florence-2-base', 'DaViT-B-768', 576],
    ['gemma-3n-e2b', 'MobileNetV5-300M-768', 256],
    ['gemma-3-4b', 'SigLIP-SO400M/14-896', 256],
    ['gemma-4-e2b', 'Gemma 4 tower', 280],
    ['lfm2-vl-450m', 'SigLIP2-B/16-512', 2816],
    ['ministral-3-3b', 'Pixtral tower', 3025],
    ['lighton-ocr-1b', 'Pixtral tower', 3025],
    ['glm-ocr', 'GLM-OCR tower', 2048],
    ['moondream2', 'SigLIP-SO400M/14-378', 729],
    ['qwen3-vl-2b', 'Qwen3-VL tower', 1568],
    ['qwen3.5-0.8b', 'Qwen3.5-0.8B tower', 1568],
  ])('of %s have %s and %d vision tokens', (name, encoder, visionTokens) => {
    expect(findModelDims(name)).toMatchObject({ visionTokens, encoder: { title: encoder } });
  });

  // As published: FastViTHD 125 million, DaViT-B 90, MobileNetV5 300; SigLIP-SO400M 400, SigLIP-B 86, and CogViT of GLM-OCR 400.
  it.each([
    ['fastvlm-0.5b', 125],
    ['florence-2-base', 90],
    ['gemma-3n-e2b', 300],
    ['gemma-3-4b', 412],
    ['lfm2-vl-450m', 90],
    ['glm-ocr', 400],
  ])('of the encoder of %s add up to about %d million weights', (name, millions) => {
    const { encoder, hidden } = findModelDims(name);
    const projector = [widthOf(encoder as EncoderDims), ...(encoder?.projector ?? []), hidden];
    const own = projector.slice(1).reduce((sum, width, at) => sum + width * (projector[at] as number), 0);
    expect((encoderWeights(name) - own) / 1e6 / millions).toBeGreaterThan(0.95);
    expect((encoderWeights(name) - own) / 1e6 / millions).toBeLessThan(1.05);
  });

  it('can be computed for other image sizes if the encoder takes any size', () => {
    const qwen = findModelDims('qwen2.5-vl-3b');
    expect(atImageSize(qwen, 896, 672)).toMatchObject({ visionTokens: 768, encoder: { grid: [48, 64] } });
    expect(parseModelDims(atImageSize(qwen, 896, 672)).visionWidth).toBe(5120);
    expect(() => atImageSize(qwen, 900, 700)).toThrow('multiples of 112 pixels, got 900x700; try 896x672');
    expect(atImageSize(findModelDims('gemma-4-e2b'), 768, 768)).toMatchObject({ visionTokens: 256 });
    expect(() => atImageSize(findModelDims('llava-1.5-7b'), 336, 336)).toThrow('images of one size');
    expect(() => atImageSize(findModelDims('fastvlm-0.5b'), 512, 512)).toThrow('images of one size');
    expect(() => atImageSize(dims, 336, 336)).toThrow('Small has no encoder');
  });

  it('are checked', () => {
    expect(() => parseModelDims({ ...tiled, visionTokens: 21 })).toThrow(
      'what the tiles of the encoder become',
    );
    expect(() => parseModelDims({ ...tiled, visionWidth: 16 })).toThrow(
      'width of a vision token before the projector',
    );
    expect(() => findModelDims('gpt')).toThrow("unknown dimensions 'gpt'; known: llava-1.5-7b");
    expect(() => parseModelDims({ ...dims, heads: 3 })).toThrow('expected heads to be a multiple');
    expect(() => parseModelDims({ title: 'x' })).toThrow(/hidden: /);
  });
});

describe('costs of a first token', () => {
  it('count each multiplication of a small model', () => {
    const { encoder, prefill } = firstTokenCosts(tiled, 6);
    // Per patch: embedding, four layers of projections and gated halves, and attention, in windows of 4 and among 16.
    const perPatch = 12 * 16 + 4 * (4 * 16 ** 2 + 3 * 16 * 24) + 2 * 16 * (2 * 16 + 2 * 4);
    const perToken = 64 * 32 + 32 * 64;
    expect(encoder).toBe(5 * (16 * perPatch + 4 * perToken));
    const { layers, head } = parameterCounts(tiled);
    expect(prefill).toBe(layers * 26 + 3 * 4 * 16 * 26 ** 2 + head);
  });

  it('tell by what to multiply the time of a part of the encoder', () => {
    const { encoder, hidden } = tiled;
    const half = encoderScale(encoder as EncoderDims, hidden, 2);
    expect(half).toBeGreaterThan(1);
    expect(half).toBeLessThan(2);
    expect(encoderScale(encoder as EncoderDims, hidden, 4)).toBe(1);
    const tower = findModelDims('fastvlm-0.5b');
    expect(encoderScale(tower.encoder as EncoderDims, tower.hidden, 0)).toBe(1);
  });

  it('limit the speedup of pruning after the encoder', () => {
    const without = firstTokenCosts(dims, 6);
    expect(without).toMatchObject({ encoder: 0, encoderShare: 0 });
    const smol = firstTokenCosts(findModelDims('smolvlm-256m'), 64);
    const llava = firstTokenCosts(findModelDims('llava-1.5-7b'), 64);
    expect(smol.encoderShare).toBeGreaterThan(0.9);
    expect(smol.mostByTokens).toBeLessThan(1.1);
    expect(llava.encoderShare).toBeLessThan(0.1);
    expect(llava.mostByTokens).toBeGreaterThan(4);
    const few = firstTokenCosts(findModelDims('smolvlm-256m'), 64, 5);
    expect(few.encoder / smol.encoder).toBeCloseTo(5 / 17, 10);
  });
});
