// The selector on the embedded model, a LLaVA: without a decoder, it keeps the tokens that the whole model keeps.

import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelPath } from '@mmtok/tiny-vlm';
import { createVlm } from '@mmtok/transformers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadImages } from '../src/images/load.js';
import { createVisionSelector, ServeStartError, type VisionSelector } from '../src/index.js';
import type { ChatMessage } from '../src/request/chat.js';
import { routeOf } from '../src/selector/selector.js';
import { imageAnd } from './support/fakes.js';
import { dataUri, png } from './support/image-files.js';

const sample = (index: number): string =>
  dataUri(readFileSync(new URL(`../../tiny-vlm/samples/${index}.png`, import.meta.url)));
const question = 'what shape is the purple object ?';
const signal = new AbortController().signal;
const bounds = { images: 8, pixels: 50_000_000, bodyBytes: 1e6, imageFetchMs: 1000 };
const conversation = async (...urls: string[]) => {
  const messages: ChatMessage[] = [{ role: 'user', content: urls.flatMap((url) => imageAnd(question, url)) }];
  const images = await loadImages(
    urls.map((url) => ({ url, param: '' })),
    { bounds, signal },
  );
  return { messages, images };
};

let folder = '';
let selector: VisionSelector;

beforeAll(async () => {
  // The same model without its decoder, which therefore cannot be opened.
  folder = mkdtempSync(join(tmpdir(), 'mmtok-encoder-'));
  cpSync(modelPath, folder, { recursive: true, filter: (path) => !/decoder|_fp16|_quantized/.test(path) });
  selector = await createVisionSelector(folder, { budget: { tokens: 57 } });
});
afterAll(async () => {
  await selector.dispose();
  rmSync(folder, { recursive: true });
});

describe('createVisionSelector', () => {
  test('keeps the tokens that the whole model keeps, and returns their rows', async () => {
    const { messages, images } = await conversation(sample(0));
    const vlm = await createVlm(modelPath, { keep: 57 });
    const answer = await vlm.ask({
      question,
      image: new Blob([images[0]?.bytes as Uint8Array<ArrayBuffer>]),
    });
    await vlm.dispose();
    const [report] = answer.report.images;

    const all = await selector.select(images, messages, { overrides: false, signal });
    const kept = await selector.select(images, messages, { overrides: {}, signal });
    expect(all).toMatchObject({ reason: 'disabled', images: [{ visionTokens: 576, keptTokens: 576 }] });
    expect(kept.images).toMatchObject([{ visionTokens: 576, keptTokens: 57, rows: { dims: [57, 128] } }]);
    const whole = all.images[0]?.rows.data ?? new Float32Array();
    const expected = report?.indices.flatMap((index) => [...whole.subarray(index * 128, (index + 1) * 128)]);
    expect([...(kept.images[0]?.rows.data ?? [])]).toEqual(expected);
    expect(Object.keys(kept.coverage ?? {}).sort()).toEqual(['text', 'vision']);
    expect(all.timings.encodeMs).toBeGreaterThan(0);
  });

  test('images stay in order, and each has its own budget', async () => {
    const one = await conversation(sample(1));
    const two = await conversation(sample(0), sample(1));
    const overrides = { keep: 12, question };
    const alone = await selector.select(one.images, one.messages, { overrides, signal });
    const both = await selector.select(two.images, two.messages, { overrides, signal });
    expect(both.images.map(({ keptTokens }) => keptTokens)).toEqual([12, 12]);
    expect(both.images[1]?.rows.data).toEqual(alone.images[0]?.rows.data);
  });

  test('concurrent calls do not affect each other', async () => {
    const first = await conversation(sample(0));
    const second = await conversation(sample(2));
    const ask = ({ images, messages }: typeof first, keep: number) =>
      selector.select(images, messages, { overrides: { keep }, signal });
    const alone = [await ask(first, 9), await ask(second, 30)];
    const together = await Promise.all([ask(first, 9), ask(second, 30)]);
    expect(together.map(({ images }) => images)).toEqual(alone.map(({ images }) => images));
  });

  test('a recent image is not encoded again', async () => {
    const { messages, images } = await conversation(sample(3));
    const first = await selector.select(images, messages, { overrides: { keep: 9 }, signal });
    const second = await selector.select(images, messages, { overrides: { keep: 30 }, signal });
    expect(first.timings.encodeMs).toBeGreaterThan(0);
    expect(second.timings.encodeMs).toBe(0);
    expect(second.images[0]?.keptTokens).toBe(30);
  });

  test('a file that is broken after its header gives a BadRequestError', async () => {
    const { messages, images } = await conversation(dataUri(png(50, 50).subarray(0, 60)));
    await expect(selector.select(images, messages, { overrides: {}, signal })).rejects.toMatchObject({
      status: 400,
    });
  });

  test('without a question, the image alone guides the selection', async () => {
    const { images } = await conversation(sample(0));
    const image = { type: 'image_url' as const, image_url: { url: sample(0) } };
    const messages: ChatMessage[] = [{ role: 'user', content: [image] }];
    const { images: found } = await selector.select(images, messages, { overrides: { keep: 20 }, signal });
    expect(found).toMatchObject([{ keptTokens: 20, rows: { dims: [20, 128] } }]);
  });

  test('rejects texts with a placeholder, and texts longer than the context', () => {
    const check = (content: string) => selector.checkPrompt?.({ messages: [{ role: 'user', content }] });
    expect(() => check('what is on the <image> ?')).toThrow(/stands for an image/);
    expect(() => check('what '.repeat(2049))).toThrow(/context of 2048 tokens/);
    expect(() => check('what '.repeat(2000))).not.toThrow();
  });

  test('rejects a model that does not exist', async () => {
    await expect(createVisionSelector(join(folder, 'nothing'), { offline: true })).rejects.toBeInstanceOf(
      ServeStartError,
    );
  });
});

describe('LLaVA-NeXT', () => {
  const fixture = new URL('../../transformers/test/fixtures/llava-next/', import.meta.url);
  let next: VisionSelector;
  beforeAll(async () => {
    // An export without its decoder is enough.
    const copy = join(folder, 'next');
    cpSync(fileURLToPath(new URL('model', fixture)), copy, {
      recursive: true,
      filter: (path) => !path.includes('decoder'),
    });
    next = await createVisionSelector(copy, { budget: { tokens: 32 } });
  });
  afterAll(() => next.dispose());

  test('returns the kept rows of each tile, or all rows that the model reads unpruned', async () => {
    const pixels = Buffer.from(Array.from({ length: 500 * 300 * 3 }, (_, at) => (at * at * 7) % 251));
    const wide = await sharp(pixels, { raw: { width: 500, height: 300, channels: 3 } })
      .png()
      .toBuffer();
    const { messages, images } = await conversation(dataUri(wide), sample(0));
    const kept = await next.select(images, messages, { overrides: {}, signal });
    const all = await next.select(images, messages, { overrides: false, signal });
    // Both become two tiles and the whole image. For the square one, half of the tiles is padding.
    expect(kept.images.map(({ rows }) => rows.dims)).toEqual([
      [3 * 32, 32],
      [3 * 32, 32],
    ]);
    expect(all.images.map(({ visionTokens, keptTokens }) => [visionTokens, keptTokens])).toEqual([
      [1728, 1728],
      [1728, 1728],
    ]);
    expect(all.images.map(({ rows }) => rows.dims[0])).toEqual([576 + 24 * (40 + 1), 576 + 24 * (24 + 1)]);
    const [first] = all.images;
    // The whole image comes first, with its kept rows in ascending order.
    const rowsOf = (image: (typeof all.images)[number] | undefined, from: number, count: number): string[] =>
      Array.from(
        { length: count },
        (_, row) => image?.rows.data.subarray((from + row) * 32, (from + row + 1) * 32).join() ?? '',
      );
    const whole = rowsOf(first, 0, 576);
    for (const row of rowsOf(kept.images[0], 0, 32)) expect(whole).toContain(row);
  });
});

test('rejects by name the families whose rows vLLM does not accept', () => {
  expect(routeOf({ model_type: 'llava' })).toEqual({ part: 'image_embeds' });
  expect(routeOf({ model_type: 'llava_next' })).toEqual({ part: 'image_embeds' });
  const vision_config = { spatial_merge_size: 3 };
  expect(routeOf({ model_type: 'qwen2_5_vl', vision_config })).toEqual({ part: 'image_embeds', merge: 3 });
  for (const type of ['smolvlm', 'gemma3', 'florence2', 'qwen3_vl', 'something']) {
    expect(() => routeOf({ model_type: type })).toThrow(new RegExp(`'${type}'`));
  }
});
