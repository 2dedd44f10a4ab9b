// The option `tiles`: the overview is encoded first, then only the most useful tiles.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawImage, type Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallOptions,
  type PruneHandle,
  type PruneOptions,
  prune,
  type RankTiles,
  type TileFacts,
} from '../src/index.js';
import { padded } from './support/batches.js';
import { answerOf, extended, generate, referenceTokens, tokens } from './support/reference.js';
import {
  buildTinyModel,
  type FamilyName,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  noiseIn,
  type TinyModel,
} from './tiny-models/index.js';

const COUNT = 4;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tiles-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** How many tiles a run of the encoder saw, by the shape of its pixels. */
const TILED = {
  smolvlm: (dims) => dims[1] as number,
  idefics3: (dims) => dims[1] as number,
  lfm2_vl: (dims) => dims[0] as number,
} satisfies Partial<Record<FamilyName, (dims: readonly number[]) => number>>;

/** Vision tokens of a tile or an overview, and of an image of four tiles. */
const [TOKENS, ALL] = [4, 20];

describe.each(Object.keys(TILED) as (keyof typeof TILED)[])('%s', (name) => {
  let tiny: TinyModel;
  let loaded: LoadedTinyModel;
  let inputs: ModelInputs;
  let handle: PruneHandle | undefined;
  beforeAll(async () => {
    tiny = await buildTinyModel(name, { directory });
    loaded = await tiny.load();
    // Its overview would show as much as its tiles.
    if (name === 'lfm2_vl')
      Object.assign(loaded.processor.image_processor ?? {}, { max_image_tokens: TOKENS });
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
      seen.push(TILED[name](feeds.pixel_values.dims));
      return original.call(session, feeds);
    };
    try {
      await action();
    } finally {
      session.run = original;
    }
    return seen;
  };

  it('encodes the overview, then the tile with the detail it lost', async () => {
    attach();
    expect(await counted(() => run({ tiles: { max: 2 } }))).toEqual([1, 1]);
    // Tiles row by row, the overview last.
    expect(skippedOf()).toEqual([true, true, false, true, false]);
    expect(handle?.lastReport).toMatchObject({
      reason: 'pruned',
      visionTokens: ALL,
      keptTokens: 2 * TOKENS,
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

  it('answers like the library on the prompt without the tokens of the other tiles', async () => {
    attach();
    const answer = await run({ tiles: { share: 0.4 } });
    const kept = handle?.lastReport?.images[0]?.indices ?? [];
    expect(kept).toHaveLength(2 * TOKENS);
    const pristine = await tiny.load();
    const compact = handle?.lastReport?.positions === 'compact';
    const expected = await referenceTokens({ tiny, pristine, inputs, kept, compact, count: COUNT });
    expect(answerOf(answer, inputs.input_ids?.dims[1] as number)).toEqual(expected);
    await pristine.dispose();
  });

  it('encodes the tiles that a custom ranking puts first', async () => {
    const told: TileFacts[] = [];
    const by =
      (order: readonly number[]): RankTiles =>
      (facts) => {
        told.push(facts);
        return order;
      };
    attach();
    await run({ tiles: { max: 3, by: by([3, 0, 1, 2]) } });
    expect(skippedOf()).toEqual([false, true, true, false, false]);
    await run({ tiles: { share: 0.6, by: by([1]) } });
    expect(skippedOf()).toEqual([true, false, true, true, false]);
    const [{ grid, overview, detail, relevance }] = told as [TileFacts];
    expect(grid).toEqual([2, 2]);
    expect(detail).toHaveLength(overview[0] * overview[1]);
    expect(relevance).toHaveLength(detail.length);
  });

  it.each([[[0, 0]], [[4]], [[-1]], [[0.5]], ['01'], [undefined]])(
    'rejects the custom ranking %j',
    async (order) => {
      attach();
      await expect(run({ tiles: { max: 2, by: () => order as never } })).rejects.toMatchObject({
        code: 'MMTOK_INVALID_OPTIONS',
        message: expect.stringContaining('tiles.by'),
      });
    },
  );

  it('is the same as without the option if all tiles are encoded', async () => {
    attach({ budget: { ratio: 0.5 } });
    const plain = await run({});
    const before = handle?.lastReport?.images.map(({ indices, order }) => ({ indices, order }));
    expect(await counted(() => run({ tiles: 'all' }))).toEqual([5]);
    expect(handle?.lastReport?.images).toMatchObject(before ?? []);
    const answer = await run({ tiles: { share: 1 } });
    expect(answerOf(answer, 0)).toEqual(answerOf(plain, 0));
    expect(handle?.lastReport?.images).toMatchObject(before ?? []);
  });

  it('runs the encoder once if the budget covers all tiles', async () => {
    attach();
    for (const tiles of [{ max: 5 }, { max: 99 }, { share: 1 }, { share: 0.95 }]) {
      expect(await counted(() => run({ tiles }))).toEqual([5]);
    }
    // A ranking may still omit tiles.
    expect(await counted(() => run({ tiles: { max: 5, by: () => [2] } }))).toEqual([1, 1]);
  });

  describe('with a least worth', () => {
    /** Every quarter has lost detail, so that the question decides. */
    let noisy: ModelInputs;
    beforeAll(async () => {
      noisy = await loaded.inputs('what is in the image ?', [noiseImage(tiny.imageSize)]);
    });
    const worths = (image = 0): readonly number[] => handle?.lastReport?.images[image]?.tileWorth ?? [];

    it('encodes one tile if the overview lost detail in one place, and all if it did everywhere', async () => {
      attach();
      expect(await counted(() => run({ tiles: { worth: 0.5 } }))).toEqual([1, 1]);
      expect(skippedOf()).toEqual([true, true, false, true, false]);
      expect(await counted(() => run({ tiles: { worth: 1e-6 } }, noisy))).toEqual([1, 4]);
      expect(handle?.lastReport?.keptTokens).toBe(ALL);
    });

    it('encodes exactly the tiles that are worth it, and reports the worth of all', async () => {
      attach();
      for (const worth of [0.01, 0.3, 0.6, 0.9, 1]) {
        await run({ tiles: { worth } }, noisy);
        expect(worths()).toHaveLength(4);
        expect(Math.max(...worths())).toBe(1);
        expect(skippedOf()).toEqual([...worths().map((own) => own < worth), false]);
      }
    });

    it('stays within min and max, which count the overview', async () => {
      attach();
      expect(await counted(() => run({ tiles: { worth: 1, min: 4 } }, noisy))).toEqual([1, 3]);
      expect(await counted(() => run({ tiles: { worth: 1e-6, max: 3 } }, noisy))).toEqual([1, 2]);
      expect(await counted(() => run({ tiles: { worth: 1e-6, max: 1 } }, noisy))).toEqual([1]);
      expect(await counted(() => run({ tiles: { worth: 1, min: 5 } }, noisy))).toEqual([5]);
    });

    it('decides for each prompt of a batch and each image of a prompt', async () => {
      attach();
      await run({ tiles: { worth: 0.3 } }, noisy);
      const alone = skippedOf();
      await run({ tiles: { worth: 0.3 } }, padded([inputs, noisy], 'left'));
      expect([skippedOf(0), skippedOf(1)]).toEqual([[true, true, false, true, false], alone]);
      const both = await loaded.inputs('what is in the image ?', [
        noiseIn(0, tiny.imageSize),
        noiseIn(3, tiny.imageSize),
      ]);
      await run({ tiles: { worth: 0.3 } }, both);
      expect([worths(0).indexOf(1), worths(1).indexOf(1)]).toEqual([0, 3]);
    });

    it('reports the worth again if a later turn selects from the same encoding', async () => {
      attach({ followUps: 'reselect' });
      await run({ tiles: { worth: 0.3 } }, noisy);
      const before = worths();
      expect(await counted(() => run({ tiles: { worth: 0.3 } }, noisy))).toEqual([]);
      expect(worths()).toEqual(before);
    });

    it('reports no worth for a custom ranking and for tiles that were not ranked', async () => {
      attach();
      await run({ tiles: { max: 2, by: () => [1] } });
      expect(handle?.lastReport?.images[0]).not.toHaveProperty('tileWorth');
      await run({ tiles: 'all' });
      expect(handle?.lastReport?.images[0]).not.toHaveProperty('tileWorth');
      await run({ tiles: { max: 2 } });
      expect(worths()).toHaveLength(4);
    });

    it('encodes only the overview of a flat image', async () => {
      attach();
      const { width, height } = tiny.imageSize;
      const flat = new RawImage(new Uint8ClampedArray(width * height * 3).fill(128), width, height, 3);
      const given = await loaded.inputs('what is in the image ?', [flat]);
      expect(await counted(() => run({ tiles: { worth: 0.2 } }, given))).toEqual([1]);
      expect(handle?.lastReport?.images[0]).not.toHaveProperty('tileWorth');
    });
  });

  it('does not report skipped tiles as masked', async () => {
    attach({ allocation: 'perTile' });
    await run({ tiles: { max: 2 } });
    expect(handle?.lastReport?.images.map(({ reason }) => reason)).toEqual(['pruned']);
  });

  // Only its images can be concatenated when prompts have different numbers of them.
  it.runIf(name === 'lfm2_vl')('encodes all tiles of prompts that are not pruned', async () => {
    attach({ minVisionTokens: ALL + 1 });
    const images = [noiseIn(0, tiny.imageSize), noiseIn(3, tiny.imageSize)];
    const two = await loaded.inputs('is the cat red ?', images);
    await run({ tiles: { max: 2 } }, padded([inputs, two], 'left'));
    expect(handle?.lastReport?.images[0]).toMatchObject({
      reason: 'belowMinVisionTokens',
      keptTokens: ALL,
    });
    expect([skippedOf(0), skippedOf(1), skippedOf(2)]).toEqual([
      [false, false, false, false, false],
      [false, true, true, true, false],
      [true, true, true, false, false],
    ]);
  });

  it('selects tiles of an image that a later turn adds', async () => {
    attach({ tiles: { max: 2 } });
    const first = (await generate(loaded.model, {
      ...inputs,
      max_new_tokens: COUNT,
      return_dict_in_generate: true,
    })) as { sequences: Tensor; past_key_values: object };
    const {
      input_ids,
      attention_mask: _,
      ...images
    } = await loaded.inputs('is the cat red ?', [noiseIn(1, tiny.imageSize)]);
    const ids = [first.sequences, input_ids as Tensor].flatMap(({ data }) => [...(data as BigInt64Array)]);
    const second = {
      ...images,
      input_ids: tokens(ids),
      attention_mask: tokens(ids.map(() => 1n)),
      past_key_values: first.past_key_values,
    };
    expect(await counted(() => generate(loaded.model, { ...second, max_new_tokens: 1 }))).toEqual([1, 1]);
    expect(skippedOf()).toEqual([true, false, true, true, false]);
  });

  it('encodes only the overview if the budget is one tile', async () => {
    attach();
    expect(await counted(() => run({ tiles: { max: 1 } }))).toEqual([1]);
    expect(skippedOf()).toEqual([true, true, true, true, false]);
  });

  it('applies a ratio to all tokens, including those that were not encoded', async () => {
    attach();
    await run({ tiles: { max: 2 }, budget: { ratio: 0.2 } });
    expect(handle?.lastReport?.keptTokens).toBe(Math.floor(0.2 * ALL));
    await run({
      tiles: { max: 2 },
      budget: { ratio: 0.2 },
      select: (_, { tokens }) => Array.from({ length: tokens }, (__, i) => i),
    });
    expect(handle?.lastReport?.keptTokens).toBe(Math.floor(0.2 * ALL));
  });

  it('selects tiles for each image separately', async () => {
    attach();
    const both = await loaded.inputs('what is in the image ?', [
      noiseIn(0, tiny.imageSize),
      noiseIn(3, tiny.imageSize),
    ]);
    expect(await counted(() => run({ tiles: { max: 2 } }, both))).toEqual([2, 2]);
    expect(skippedOf(0)).toEqual([false, true, true, true, false]);
    expect(skippedOf(1)).toEqual([true, true, true, false, false]);
  });

  it('selects the same tiles in a batch as for single prompts', async () => {
    attach();
    const other = await loaded.inputs('is the cat red ?', [noiseIn(1, tiny.imageSize)]);
    const single = [await run({ tiles: { max: 2 } }), await run({ tiles: { max: 2 } }, other)].map(
      (answer, row) => answerOf(answer, (row === 0 ? inputs : other).input_ids?.dims[1] as number),
    );
    const batch = padded([inputs, other], 'left');
    const answers = await run({ tiles: { max: 2 } }, batch);
    const width = batch.input_ids?.dims[1] as number;
    expect([answerOf(answers, width, 0), answerOf(answers, width, 1)]).toEqual(single);
    expect([skippedOf(0), skippedOf(1)]).toEqual([
      [true, true, false, true, false],
      [true, false, true, true, false],
    ]);
  });

  it('continues in later turns, and encodes nothing twice if they select again', async () => {
    attach({ followUps: 'reselect', tiles: { max: 2 }, budget: { ratio: 0.2 } });
    const first = (await generate(loaded.model, {
      ...inputs,
      max_new_tokens: COUNT,
      return_dict_in_generate: true,
    })) as { sequences: Tensor; past_key_values: object };
    const said = Array.from(first.sequences.data as BigInt64Array).slice(inputs.input_ids?.dims[1]);
    const {
      pixel_values: _,
      pixel_attention_mask: __,
      spatial_shapes: ___,
      ...second
    } = extended(inputs, [...said, 20n]);
    const again = counted(() =>
      generate(loaded.model, { ...second, past_key_values: first.past_key_values, max_new_tokens: 1 }),
    );
    expect(await again).toEqual([]);
    expect(skippedOf()).toEqual([true, true, false, true, false]);
    expect(handle?.lastReport).toMatchObject({
      reason: 'pruned',
      keptTokens: Math.floor(0.2 * ALL),
    });
  });

  it('counts the ranking of tiles in the time to the first token if their encoding is cached', async () => {
    // One image, although its overview and its other tiles are encoded separately.
    attach({ followUps: 'reselect', tiles: { max: 2 }, visionCacheSize: 1 });
    await run({});
    expect(await counted(() => run({}))).toEqual([]);
    const timings = handle?.lastReport?.timings;
    expect(timings?.encodeMs).toBe(0);
    expect(timings?.firstTokenMs).toBeCloseTo((timings?.selectMs ?? 0) + (timings?.prefillMs ?? 0), 6);
  });

  it('follows the question: a tile that it points to comes first', async () => {
    attach();
    const noisy = await loaded.inputs('what is in the image ?', [noiseImage(tiny.imageSize)]);
    const chosen = new Set<string>();
    for (const id of [5, 9, 14, 20, 30, 41, 50]) {
      await run({ tiles: { max: 2 }, questionTokens: { ids: [id] } }, noisy);
      chosen.add(skippedOf().join());
    }
    expect(chosen.size).toBeGreaterThan(1);
  });
});
