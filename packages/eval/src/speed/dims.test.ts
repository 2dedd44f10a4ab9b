import { describe, expect, it } from 'vitest';
import { dims, tiled } from '../../test/small-dims.js';
import {
  atImageSize,
  type EncoderDims,
  encoderScale,
  firstTokenCosts,
  parameterCounts,
  parseModelDims,
  type TransformerEncoder,
} from './dims.js';
import { findModelDims } from './presets.js';

describe('dimensions', () => {
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
    expect(() => parseModelDims({ ...dims, heads: 3 })).toThrow('expected heads to be a multiple');
    expect(() => parseModelDims({ ...dims, biased: true })).toThrow('gated blocks have no biases here');
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

  it('include a block after the projector', () => {
    const encoder = { ...(tiled.encoder as TransformerEncoder), gatedMerger: 48 };
    const more = firstTokenCosts({ ...tiled, encoder }, 6).encoder - firstTokenCosts(tiled, 6).encoder;
    expect(more).toBe(5 * 4 * (64 ** 2 + 3 * 64 * 48));
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
