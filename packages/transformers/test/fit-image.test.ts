// fitImage: the fitted image has at most the requested number of vision tokens, for every supported family.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as library from '@huggingface/transformers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitImage, processInputs } from '../src/index.js';
import { buildTinyModel, type FamilyName, noiseImage, type TinyModel } from './tiny-models/index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fitted-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Families whose processors are known, and the fewest vision tokens that the tiny ones make of an image. */
const LEAST = {
  qwen2_vl: 1,
  qwen2_5_vl: 1,
  qwen3_vl: 1,
  qwen3_5: 1,
  glm_ocr: 1,
  mistral3: 1,
  lighton_ocr: 1,
  lfm2_vl: 4,
  smolvlm: 4,
  idefics3: 4,
  phi3_v: 27,
} satisfies Partial<Record<FamilyName, number>>;

describe.each(Object.keys(LEAST) as (keyof typeof LEAST)[])('%s', (name) => {
  let tiny: TinyModel;
  let processor: library.Processor;
  beforeAll(async () => {
    tiny = await buildTinyModel(name, { directory });
    processor = await library.AutoProcessor.from_pretrained(tiny.path, { local_files_only: true });
  });

  /** Vision tokens for which the processor reserves placeholders. */
  const tokensOf = async (own: library.Processor, image: library.RawImage): Promise<number> => {
    const messages = [{ role: 'user' as const, content: [{ type: 'image' as const }] }];
    const inputs = await processInputs(library, own, { messages, images: [image] });
    const ids = Array.from(inputs.input_ids?.data as BigInt64Array, Number);
    return ids.filter((id) => id === tiny.imageTokenId || id < 0).length;
  };

  it('costs the reported number of tokens, at most the requested one, and keeps its aspect ratio', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 8, max: 90 }),
        fc.integer({ min: 8, max: 90 }),
        fc.integer({ min: LEAST[name], max: 60 }),
        async (width, height, visionTokens) => {
          const image = noiseImage({ width, height });
          let fitted: Awaited<ReturnType<typeof fitImage>>;
          try {
            fitted = await fitImage(processor, image, { visionTokens });
          } catch (error) {
            // Long images cost more than the least.
            const [, least] = /at least (\d+) of this image|as narrow as/.exec(String(error)) as string[];
            expect(Number(least ?? Number.POSITIVE_INFINITY)).toBeGreaterThan(visionTokens);
            return;
          }
          expect(fitted.visionTokens).toBeLessThanOrEqual(visionTokens);
          expect(await tokensOf(fitted.processor, fitted.image)).toBe(fitted.visionTokens);
          expect(fitted.image.width).toBeLessThanOrEqual(width);
          expect(fitted.image.height).toBeLessThanOrEqual(height);
          const scale = Math.max(fitted.image.width, fitted.image.height) / Math.max(width, height);
          expect(Math.abs(fitted.image.width - width * scale)).toBeLessThanOrEqual(1);
          expect(Math.abs(fitted.image.height - height * scale)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('does not change an image that is within the limit, and never changes the processor', async () => {
    const image = noiseImage(tiny.imageSize);
    const before = await tokensOf(processor, image);
    const fitted = await fitImage(processor, image, { visionTokens: before });
    expect(fitted).toMatchObject({ visionTokens: before });
    expect(fitted.image).toBe(image);
    expect(fitted.processor).toBe(processor);
    if (before > LEAST[name]) await fitImage(processor, image, { visionTokens: before - 1 });
    expect(await tokensOf(processor, image)).toBe(before);
  });

  it.each([0, 1.5, undefined])('rejects %j tokens', async (visionTokens) => {
    const call = fitImage(processor, noiseImage(tiny.imageSize), { visionTokens } as never);
    await expect(call).rejects.toMatchObject({ code: 'MMTOK_INVALID_OPTIONS' });
  });
});

it('counts like the processor where rounding matters', async () => {
  const { path } = await buildTinyModel('lfm2_vl', { directory });
  const processor = await library.AutoProcessor.from_pretrained(path, { local_files_only: true });
  const fitted = await fitImage(processor, noiseImage({ width: 73, height: 73 }), { visionTokens: 17 });
  const messages = [{ role: 'user' as const, content: [{ type: 'image' as const }] }];
  const inputs = await processInputs(library, fitted.processor, { messages, images: [fitted.image] });
  const patches = inputs.pixel_attention_mask?.data as BigInt64Array;
  const shown = Array.from(patches, Number).filter((bit) => bit !== 0).length;
  // Two patches along each edge become one token.
  expect(shown / 4).toBe(fitted.visionTokens);
  expect(fitted.visionTokens).toBeLessThanOrEqual(17);
});

it('uses the limit: the next larger size would exceed it', async () => {
  const { path } = await buildTinyModel('qwen2_5_vl', { directory });
  const processor = await library.AutoProcessor.from_pretrained(path, { local_files_only: true });
  const { image, visionTokens } = await fitImage(processor, noiseImage({ width: 40, height: 24 }), {
    visionTokens: 8,
  });
  expect(visionTokens).toBe(8);
  expect([image.width, image.height]).toEqual([32, 19]);
});

it('is rejected for processors that give all images the same cost', async () => {
  const { path } = await buildTinyModel('llava', { directory });
  const processor = await library.AutoProcessor.from_pretrained(path, { local_files_only: true });
  const call = fitImage(processor, noiseImage({ width: 16, height: 16 }), { visionTokens: 4 });
  await expect(call).rejects.toThrow(/LlavaProcessor/);
});
