// How a budget is divided among the prompts of a batch, images, tiles, and frames.

import { cat, RawImage, Tensor } from '@huggingface/transformers';
import { visionCoverage } from '@mmtok/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PrunedLlava } from './support/pruned-llava.js';
import {
  buildTinyModel,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';

const on = new PrunedLlava();

describe('a row of a batch', () => {
  let second: ModelInputs;
  let batch: ModelInputs;
  beforeAll(async () => {
    second = await on.loaded.inputs('is the cat red ?', [noiseImage(on.llava.imageSize, 77)]);
    batch = Object.fromEntries(
      ['input_ids', 'attention_mask', 'pixel_values'].map((name) => [
        name,
        cat([on.inputs[name] as Tensor, second[name] as Tensor], 0),
      ]),
    );
  });

  it('is standardized separately', async () => {
    on.attach({ standardize: 'on', coverage: [visionCoverage()], budget: { tokens: 6 } });
    await on.run({}, batch);
    const together = on.handle?.lastReport?.images.map((image) => image.indices);
    const alone: unknown[] = [];
    for (const row of [on.inputs, second]) {
      await on.run({}, row);
      alone.push(on.handle?.lastReport?.images[0]?.indices);
    }
    expect(together).toEqual(alone);
    expect(on.handle?.lastReport?.standardized).toBe(true);
  });

  it('is pruned or not on its own', async () => {
    on.attach({ minVisionTokens: 20 });
    await on.run({}, batch);
    expect(on.handle?.lastReport).toMatchObject({ reason: 'belowMinVisionTokens', keptTokens: 32 });
    on.handle?.restore();
    const tiles = await buildTinyModel('smolvlm', { directory: on.directory });
    const smol = await tiles.load();
    const [one, two] = [noiseImage(tiles.imageSize), noiseImage(tiles.imageSize, 2)];
    const short = await smol.inputs('is the cat red ?', [one]);
    const long = await smol.inputs('is the cat red ?', [one, two]);
    const width = long.input_ids?.dims[1] as number;
    const padded = (tensor: Tensor): Tensor => {
      const data = Array.from(tensor.data as BigInt64Array);
      const fill = new Array<bigint>(width - data.length).fill(0n);
      return new Tensor('int64', BigInt64Array.from([...fill, ...data]), [1, width]);
    };
    const both: ModelInputs = {};
    for (const name of ['input_ids', 'attention_mask'])
      both[name] = cat([padded(short[name] as Tensor), long[name] as Tensor], 0);
    for (const name of ['pixel_values', 'pixel_attention_mask']) {
      const tensors = [short[name], long[name]].map((tensor) => {
        const { type, data, dims } = tensor as Tensor;
        return new Tensor(type, data, [1, (dims[0] as number) * (dims[1] as number), ...dims.slice(2)]);
      });
      both[name] = cat(tensors, 1);
    }
    on.attach({ minVisionTokens: tiles.tokensPerImage + 1 }, smol);
    await on.run({}, both, smol);
    expect(on.handle?.lastReport?.images.map(({ reason, keptTokens }) => [reason, keptTokens])).toEqual([
      ['belowMinVisionTokens', tiles.tokensPerImage],
      ['pruned', 4],
      ['pruned', 4],
    ]);
    on.handle?.restore();
    await smol.dispose();
  });
});

describe('tiles and frames', () => {
  let smol: LoadedTinyModel;
  let tiles: TinyModel;
  beforeAll(async () => {
    tiles = await buildTinyModel('smolvlm', { directory: on.directory });
    smol = await tiles.load();
  });
  afterAll(() => smol.dispose());

  it('share a budget per image, per tile, or all together, with minimums', async () => {
    const images = [noiseImage(tiles.imageSize), noiseImage(tiles.imageSize, 2)];
    const prompt = await smol.inputs('is the cat red ?', images);
    on.attach({ budget: { tokens: 6 } }, smol);
    await on.run({}, prompt, smol);
    expect(on.handle?.lastReport?.images.map((image) => image.keptTokens)).toEqual([6, 6]);
    const tileCount = on.handle?.lastReport?.images[0]?.tiles.length as number;
    expect(tileCount).toBeGreaterThan(1);

    await on.run({ budget: { tokens: tileCount }, minTokens: 1 }, prompt, smol);
    for (const image of on.handle?.lastReport?.images ?? []) {
      expect(image.tiles.map((tile) => tile.indices.length)).toEqual(image.tiles.map(() => 1));
    }
    await on.run({ budget: { tokens: 2 }, allocation: 'perTile' }, prompt, smol);
    for (const image of on.handle?.lastReport?.images ?? []) {
      expect(image.tiles.map((tile) => tile.indices.length)).toEqual(image.tiles.map(() => 2));
      expect(image.selections).toHaveLength(tileCount);
    }
    await on.run({ budget: { tokens: 7 }, allocation: 'shared', minTokens: 2 }, prompt, smol);
    const shared = on.handle?.lastReport?.images.map((image) => image.keptTokens) as number[];
    expect(shared.reduce((sum, one) => sum + one, 0)).toBe(7);
    expect(Math.min(...shared)).toBeGreaterThanOrEqual(2);
  });

  it('that are kept whole are in the order too', async () => {
    on.attach({ budget: { ratio: 1 }, allocation: 'perTile' }, smol);
    const prompt = await smol.inputs('is the cat red ?', [noiseImage(tiles.imageSize)]);
    await on.run({ exclude: [[0, 2]] }, prompt, smol);
    const image = on.handle?.lastReport?.images[0];
    expect(image?.reason).toBe('allSelectable');
    expect(image?.order?.toSorted((a, b) => a - b)).toEqual(image?.indices);
  });

  it('are rejected if the prompt has fewer placeholders than the tiles have tokens', async () => {
    on.attach({}, smol);
    const prompt = await smol.inputs('is the cat red ?', [noiseImage(tiles.imageSize)]);
    const ids = Array.from((prompt.input_ids as Tensor).data as BigInt64Array);
    ids.splice(ids.indexOf(BigInt(tiles.imageTokenId)), 1);
    const given = {
      ...prompt,
      input_ids: new Tensor('int64', BigInt64Array.from(ids), [1, ids.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), [1, ids.length]),
    };
    await expect(on.run({}, given, smol)).rejects.toMatchObject({ code: 'MMTOK_PROMPT_MISMATCH' });
  });

  it('keep their markers when all their tokens are removed', async () => {
    on.attach({ budget: { tokens: 1 } }, smol);
    const prompt = await smol.inputs('is the cat red ?', [noiseImage(tiles.imageSize)]);
    const seen: number[][] = [];
    const { embed_tokens: session } = smol.model.sessions;
    const run1 = session.run;
    session.run = (feeds: { input_ids: Tensor }) => {
      seen.push(Array.from(feeds.input_ids.data as BigInt64Array, Number));
      return run1.call(session, feeds);
    };
    await on.run({}, prompt, smol);
    session.run = run1;
    const full = Array.from(prompt.input_ids?.data as unknown as BigInt64Array, Number);
    const isImage = (id: number): boolean => id === tiles.imageTokenId;
    const shortest = seen.find((ids) => ids.filter(isImage).length === 1) as number[];
    expect(shortest.filter((id) => !isImage(id))).toEqual(full.filter((id) => !isImage(id)));
  });

  it('of a static scene cost little: what one frame shows is not kept again in the next', async () => {
    const still = noiseImage(on.llava.imageSize);
    const other = noiseImage(on.llava.imageSize, 9);
    const frames = [still, new RawImage(still.data, still.width, still.height, 3), other];
    const prompt = await smol.inputs('is the cat red ?', frames);
    on.attach(
      { budget: { ratio: 0.25 }, allocation: 'shared', coverage: [visionCoverage({ temperature: 0.02 })] },
      smol,
    );
    await on.run({}, prompt, smol);
    const [first, second, third] = (on.handle?.lastReport?.images ?? []).map((image) => image.keptTokens) as [
      number,
      number,
      number,
    ];
    expect(second).toBeLessThan(first);
    expect(third).toBeGreaterThan(second);
    await on.run({ minTokens: 3 }, prompt, smol);
    expect(
      Math.min(...(on.handle?.lastReport?.images.map((image) => image.keptTokens) ?? [])),
    ).toBeGreaterThanOrEqual(3);
  });
});
