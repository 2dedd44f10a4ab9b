// The option `tiles`: the overview is encoded first, then only the tiles that are worth it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawImage, type Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CallOptions, type PruneHandle, type PruneOptions, prune } from '../src/index.js';
import { answerOf, extended, generate, referenceTokens } from './support/reference.js';
import {
  buildTinyModel,
  type FamilyName,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';

const COUNT = 4;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tiles-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A gray image with noise in one quarter of it. */
function noiseIn(
  quarter: number,
  { width, height }: { readonly width: number; readonly height: number },
): RawImage {
  const data = new Uint8ClampedArray(width * height * 3).fill(128);
  const noise = noiseImage({ width, height }).data;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const own = (y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1);
      const at = (y * width + x) * 3;
      if (own === quarter) data.set(noise.subarray(at, at + 3), at);
    }
  }
  return new RawImage(data, width, height, 3);
}

describe.each<FamilyName>(['smolvlm', 'idefics3'])('%s', (name) => {
  let tiny: TinyModel;
  let loaded: LoadedTinyModel;
  let inputs: ModelInputs;
  let handle: PruneHandle | undefined;
  beforeAll(async () => {
    tiny = await buildTinyModel(name, { directory });
    loaded = await tiny.load();
    inputs = await loaded.inputs('what is in the image ?', [noiseIn(2, tiny.imageSize)]);
  });
  afterEach(() => handle?.restore());
  afterAll(() => loaded.dispose());

  const attach = (options: Partial<PruneOptions> = {}): PruneHandle => {
    handle = prune(loaded.model, {
      processor: loaded.processor,
      backend: createReferenceBackend(),
      budget: { ratio: 1 },
      minVisionTokens: 1,
      ...options,
    });
    return handle;
  };
  const run = (mmtok: CallOptions, given = inputs): Promise<unknown> =>
    generate(loaded.model, { ...given, max_new_tokens: COUNT, mmtok });
  const skippedOf = (image = 0): boolean[] =>
    handle?.lastReport?.images[image]?.tiles.map((tile) => tile.skipped === true) ?? [];
  /** How many tiles each run of the encoder saw. */
  const counted = async (action: () => Promise<unknown>): Promise<number[]> => {
    const session = loaded.model.sessions.vision_encoder;
    const { run: original } = session;
    const seen: number[] = [];
    session.run = (feeds: { pixel_values: { dims: number[] } }) => {
      seen.push(feeds.pixel_values.dims[1] as number);
      return original.call(session, feeds);
    };
    try {
      await action();
    } finally {
      session.run = original;
    }
    return seen;
  };

  it('encodes the overview, then the tile that holds what it lost', async () => {
    attach();
    expect(await counted(() => run({ tiles: { max: 2 } }))).toEqual([1, 1]);
    // Tiles row by row, the overview last.
    expect(skippedOf()).toEqual([true, true, false, true, false]);
    const tokens = tiny.tokensPerImage / 5;
    expect(handle?.lastReport).toMatchObject({
      reason: 'pruned',
      visionTokens: tiny.tokensPerImage,
      keptTokens: 2 * tokens,
    });
  });

  it('says which part of the image each tile shows', async () => {
    let seen: unknown;
    attach({
      budget: { ratio: 0.5 },
      select({ tiles }, { tokens }) {
        seen = tiles.map(({ imagePart }) => imagePart);
        return Array.from({ length: tokens }, (_, index) => index);
      },
    });
    await run({});
    const parts = [[0, 0], [0, 1], [1, 0], [1, 1], 'overview'];
    expect(seen).toEqual(parts);
    expect(handle?.lastReport?.images[0]?.tiles.map(({ imagePart }) => imagePart)).toEqual(parts);
  });

  it('answers as the library does on the prompt without the tokens of the other tiles', async () => {
    attach();
    const answer = await run({ tiles: { share: 0.4 } });
    const kept = handle?.lastReport?.images[0]?.indices ?? [];
    expect(kept).toHaveLength((2 * tiny.tokensPerImage) / 5);
    const pristine = await tiny.load();
    const compact = handle?.lastReport?.positions === 'compact';
    const expected = await referenceTokens({ tiny, pristine, inputs, kept, compact, count: COUNT });
    expect(answerOf(answer, inputs.input_ids?.dims[1] as number)).toEqual(expected);
    await pristine.dispose();
  });

  it('is the same as without the option where all tiles are encoded', async () => {
    attach({ budget: { ratio: 0.5 } });
    const plain = await run({});
    const before = handle?.lastReport?.images.map(({ indices, order }) => ({ indices, order }));
    expect(await counted(() => run({ tiles: 'all' }))).toEqual([5]);
    expect(handle?.lastReport?.images).toMatchObject(before ?? []);
    const answer = await run({ tiles: { share: 1 } });
    expect(answerOf(answer, 0)).toEqual(answerOf(plain, 0));
    expect(handle?.lastReport?.images).toMatchObject(before ?? []);
  });

  it('encodes the overview alone if nothing else is asked for', async () => {
    attach();
    expect(await counted(() => run({ tiles: { max: 1 } }))).toEqual([1]);
    expect(skippedOf()).toEqual([true, true, true, true, false]);
  });

  it('counts a share of all tokens, also of those that were not encoded', async () => {
    attach();
    await run({ tiles: { max: 2 }, budget: { ratio: 0.2 } });
    expect(handle?.lastReport?.keptTokens).toBe(Math.floor(0.2 * tiny.tokensPerImage));
    await run({
      tiles: { max: 2 },
      budget: { ratio: 0.2 },
      select: (_, { tokens }) => Array.from({ length: tokens }, (__, i) => i),
    });
    expect(handle?.lastReport?.keptTokens).toBe(Math.floor(0.2 * tiny.tokensPerImage));
  });

  it('chooses for each image, by itself', async () => {
    attach();
    const both = await loaded.inputs('what is in the image ?', [
      noiseIn(0, tiny.imageSize),
      noiseIn(3, tiny.imageSize),
    ]);
    expect(await counted(() => run({ tiles: { max: 2 } }, both))).toEqual([2, 2]);
    expect(skippedOf(0)).toEqual([false, true, true, true, false]);
    expect(skippedOf(1)).toEqual([true, true, true, false, false]);
  });

  it('goes on in further turns, and encodes nothing twice where they select anew', async () => {
    attach({ followUps: 'reselect', tiles: { max: 2 }, budget: { ratio: 0.2 } });
    const first = (await generate(loaded.model, {
      ...inputs,
      max_new_tokens: COUNT,
      return_dict_in_generate: true,
    })) as { sequences: Tensor; past_key_values: object };
    const said = Array.from(first.sequences.data as BigInt64Array).slice(inputs.input_ids?.dims[1]);
    const { pixel_values: _, pixel_attention_mask: __, ...second } = extended(inputs, [...said, 20n]);
    const again = counted(() =>
      generate(loaded.model, { ...second, past_key_values: first.past_key_values, max_new_tokens: 1 }),
    );
    expect(await again).toEqual([]);
    expect(skippedOf()).toEqual([true, true, false, true, false]);
    expect(handle?.lastReport).toMatchObject({
      reason: 'pruned',
      keptTokens: Math.floor(0.2 * tiny.tokensPerImage),
    });
  });

  it('follows the question: a tile that it points at comes first', async () => {
    attach();
    const noisy = await loaded.inputs('what is in the image ?', [noiseImage(tiny.imageSize)]);
    const chosen = new Set<string>();
    for (const id of [5, 9, 14, 20, 30, 41, 50]) {
      await run({ tiles: { max: 2 }, questionTokens: { ids: [id] } }, noisy);
      chosen.add(skippedOf().join());
    }
    expect(chosen.size).toBeGreaterThan(1);
  });

  it.each([[{ max: 0 }], [{ max: 1.5 }], [{ share: 0 }], [{ share: 2 }], ['most'], [{}]])(
    'refuses %j',
    (tiles) => {
      expect(() => attach({ tiles: tiles as never })).toThrow(/tiles/);
    },
  );
});

it('leaves families without tiles alone', async () => {
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
