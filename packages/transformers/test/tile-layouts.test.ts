// The option `tiles` for other layouts: Phi-3 Vision, whose crops lie side by side in the rows of one tile, and families without
// tiles.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CallOptions, type PruneHandle, prune } from '../src/index.js';
import { answerOf, generate, referenceTokens } from './support/reference.js';
import {
  buildTinyModel,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  noiseIn,
  type TinyModel,
} from './tiny-models/index.js';

const COUNT = 4;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crops-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('phi3_v', () => {
  const [GRID, CROPS] = [2, 4];
  /** Of the overview with the token before it, and of a crop with the ends of its rows. */
  const [OVERVIEW, CROP] = [GRID * (GRID + 1) + 1, GRID ** 2 + GRID];
  // Larger than the overview, so that it loses something.
  const [SIZE, WIDE] = [
    { width: 672, height: 672 },
    { width: 672, height: 336 },
  ];
  let tiny: TinyModel;
  let loaded: LoadedTinyModel;
  let handle: PruneHandle | undefined;
  beforeAll(async () => {
    tiny = await buildTinyModel('phi3_v', { directory });
    loaded = await tiny.load();
  });
  afterEach(() => handle?.restore());
  afterAll(() => loaded.dispose());

  const run = async (inputs: ModelInputs, mmtok: CallOptions): Promise<unknown> => {
    await handle?.restore();
    handle = prune(loaded.model, {
      processor: loaded.processor,
      backend: createReferenceBackend(),
      budget: { ratio: 1 },
      minVisionTokens: 1,
    });
    return await generate(loaded.model, { ...inputs, max_new_tokens: COUNT, mmtok });
  };
  const missing = (image = 0): readonly number[] =>
    handle?.lastReport?.images[image]?.tiles[0]?.unencoded ?? [];

  it.each([0, 1, 2, 3])('encodes crop %i if it has the detail that the overview lost', async (quarter) => {
    const inputs = await loaded.inputs('what ?', [noiseIn(quarter, SIZE)]);
    const answer = await run(inputs, { tiles: { max: 2 } });
    const kept = handle?.lastReport?.images[0]?.indices ?? [];
    expect(kept).toHaveLength(OVERVIEW + CROP);
    const line = 2 * GRID + 1;
    expect(kept[0]).toBe(Math.floor(quarter / 2) * GRID * line + (quarter % 2) * GRID);
    expect(missing()).toHaveLength(tiny.tokensPerImage - kept.length);
    const pristine = await tiny.load();
    const expected = await referenceTokens({
      tiny,
      pristine,
      inputs,
      kept,
      compact: handle?.lastReport?.positions === 'compact',
      count: COUNT,
    });
    expect(answerOf(answer, inputs.input_ids?.dims[1] as number)).toEqual(expected);
    await pristine.dispose();
  });

  it.each([[{ max: CROPS + 1 }], [{ share: 1 }]])(
    'is the same as without the option for %j',
    async (tiles) => {
      const images = [noiseImage(SIZE), noiseImage(WIDE)];
      for (const image of images) {
        const inputs = await loaded.inputs('what ?', [image]);
        const plain = await run(inputs, { budget: { ratio: 0.5 } });
        const before = handle?.lastReport?.images;
        expect(await run(inputs, { budget: { ratio: 0.5 }, tiles })).toMatchObject({
          data: (plain as Tensor).data,
        });
        expect(handle?.lastReport?.images.map(({ order }) => order)).toEqual(
          before?.map(({ order }) => order),
        );
        expect(missing()).toEqual([]);
      }
    },
  );

  it('encodes the crops that are worth it', async () => {
    const inputs = await loaded.inputs('what ?', [noiseIn(2, SIZE)]);
    await run(inputs, { tiles: { worth: 0.2 } });
    const [image] = handle?.lastReport?.images ?? [];
    expect(image?.indices).toHaveLength(OVERVIEW + CROP);
    expect(image?.tileWorth?.indexOf(1)).toBe(2);
    await run(inputs, { tiles: { worth: 0.2, min: CROPS + 1 } });
    expect(missing()).toEqual([]);
  });

  it('selects among the crops that the encoder reads', async () => {
    // transformers.js cuts it into four crops, of which the encoder reads the upper two.
    const inputs = await loaded.inputs('what ?', [noiseIn(1, WIDE)]);
    await run(inputs, { tiles: { max: 2 } });
    expect(handle?.lastReport?.images[0]?.indices[0]).toBe(GRID);
    expect(missing()).toHaveLength(GRID ** 2);
  });

  it('selects crops for each image', async () => {
    const images = [noiseIn(3, SIZE), noiseIn(0, SIZE)];
    const inputs = await loaded.inputs('what ?', images);
    await run(inputs, { tiles: { max: 2 } });
    const first = handle?.lastReport?.images.map(({ indices }) => indices[0]);
    expect(first).toEqual([GRID * (2 * GRID + 1) + GRID, 0]);
  });
});

it('is rejected for LLaVA-OneVision, which transformers.js does not tile', async () => {
  const tiny = await buildTinyModel('llava_onevision', { directory });
  const loaded = await tiny.load();
  const options = { processor: { tokenizer: loaded.tokenizer }, budget: { tokens: 4 } };
  expect(() => prune(loaded.model, { ...options, tiles: { max: 2 } })).toThrow(/tiles/);
  const handle = prune(loaded.model, { ...options, tiles: 'all' });
  const inputs = await loaded.inputs('what ?', [noiseImage(tiny.imageSize)]);
  const call = generate(loaded.model, { ...inputs, max_new_tokens: 1, mmtok: { tiles: { share: 0.5 } } });
  await expect(call).rejects.toThrow(/tiles/);
  await handle.restore();
  await loaded.dispose();
});

it('has no effect on families without tiles', async () => {
  const tiny = await buildTinyModel('llava', { directory });
  const loaded = await tiny.load();
  const { processor } = loaded;
  const handle = prune(loaded.model, {
    processor,
    budget: { tokens: 4 },
    tiles: { max: 1 },
    minVisionTokens: 1,
  });
  const inputs = await loaded.inputs('what ?', [noiseImage(tiny.imageSize)]);
  await generate(loaded.model, { ...inputs, max_new_tokens: 1 });
  expect(handle.lastReport).toMatchObject({ keptTokens: 4, visionTokens: 16 });
  await handle.restore();
  await loaded.dispose();
});
