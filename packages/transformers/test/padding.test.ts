// Padding that an image processor adds: its tokens are not kept, without any option.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type CallOptions, type ImageReport, type PruneHandle, prune } from '../src/index.js';
import { cornerPaddingTokens, shownSizes } from '../src/select/features.js';
import { generate } from './support/reference.js';
import type { ImageSize } from './tiny-models/family.js';
import { buildTinyModel, type LoadedTinyModel, noiseImage } from './tiny-models/index.js';

let directory: string;
let loaded: LoadedTinyModel;
let handle: PruneHandle;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'padding-'));
  const tiny = await buildTinyModel('llava', { directory });
  const file = join(tiny.path, 'preprocessor_config.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  const { width, height } = tiny.imageSize;
  const padding = { do_resize: false, do_center_crop: false, do_pad: true, pad_size: { width, height } };
  await writeFile(file, JSON.stringify({ ...config, ...padding }));
  loaded = await tiny.load();
});
afterEach(() => handle.restore());
afterAll(async () => {
  await loaded.dispose();
  await rm(directory, { recursive: true, force: true });
});

/** Kept tokens of an image on the 4 × 4 grid of a model whose processor pads to 16 × 16 pixels. */
async function kept(size: ImageSize, tokens: number, mmtok: CallOptions = {}): Promise<ImageReport> {
  handle = prune(loaded.model, {
    processor: loaded.processor,
    backend: createReferenceBackend(),
    budget: { tokens },
    minVisionTokens: 1,
  });
  const inputs = await loaded.inputs('is the cat red ?', [noiseImage(size)]);
  await generate(loaded.model, { ...inputs, max_new_tokens: 1, mmtok });
  return handle.lastReport?.images[0] as ImageReport;
}

it('is never kept below a wide image', async () => {
  expect(await kept({ width: 16, height: 8 }, 10)).toMatchObject({
    reason: 'allSelectable',
    indices: [0, 1, 2, 3, 4, 5, 6, 7],
  });
});

it('is never kept beside a tall image, whose edge tokens may be kept', async () => {
  const { indices } = await kept({ width: 6, height: 16 }, 8);
  expect(indices).toEqual([0, 1, 4, 5, 8, 9, 12, 13]);
});

it('does not affect an image without padding', async () => {
  const { keptTokens, reason } = await kept({ width: 16, height: 16 }, 15);
  expect({ keptTokens, reason }).toEqual({ keptTokens: 15, reason: 'pruned' });
});

it('may be kept on request', async () => {
  expect((await kept({ width: 16, height: 8 }, 12, { paddedFrom: false })).keptTokens).toBe(12);
});

it('is inferred only from sizes that match the pixels', () => {
  const pixels = (...dims: number[]): never => ({ dims }) as never;
  const told = { shown: [{ height: 8, width: 16 }], padded: { height: 16, width: 16 } };
  expect(shownSizes([[8, 16]], pixels(1, 3, 16, 16))).toEqual(told);
  expect(shownSizes([[16, 16]], pixels(1, 3, 16, 16))).toBeUndefined();
  for (const sizes of [
    undefined,
    'x',
    [],
    [
      [8, 16],
      [8, 16],
    ],
    [[0, 16]],
    [null],
    [['a', 16]],
  ])
    expect(shownSizes(sizes, pixels(1, 3, 16, 16))).toBeUndefined();
  expect(shownSizes([[8, 16]], pixels(1, 1, 3, 16, 16))).toBeUndefined();
  expect(shownSizes([[8, 16]], undefined)).toBeUndefined();
  expect(cornerPaddingTokens({ height: 9, width: 4 }, [4, 4], { height: 16, width: 16 })).toEqual([
    ...[1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15],
  ]);
});
