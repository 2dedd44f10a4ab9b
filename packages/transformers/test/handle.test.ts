// The handle of prune(): token counts, types, cache keys, and reports.

import { join } from 'node:path';
import type { Tensor } from '@huggingface/transformers';
import { type Maximizer, visionCoverage } from '@mmtok/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { CallOptions, PruneHandle, PruneOptions } from '../src/index.js';
import { PrunedLlava } from './support/pruned-llava.js';
import { buildTinyModel, type LoadedTinyModel, noiseImage } from './tiny-models/index.js';

const on = new PrunedLlava();

describe('handle', () => {
  it('counts tokens without running the model', () => {
    on.attach();
    expect(on.handle?.countTokens(on.inputs)).toEqual([
      {
        vision: 16,
        text: (on.inputs.input_ids?.dims[1] as number) - 16,
        total: on.inputs.input_ids?.dims[1],
      },
    ]);
  });

  it('accepts the types of the model and its processor', async () => {
    interface Processed {
      readonly input_ids: Tensor;
      readonly attention_mask: Tensor;
      readonly pixel_values: Tensor;
    }
    const processed = { ...on.inputs } as unknown as Processed;
    const own = on.attach();
    expect(own.countTokens(processed)).toEqual(own.countTokens(on.inputs));
    expect(await own.cacheKey(processed)).toBe(await own.cacheKey(on.inputs));
    const output = (await own.generate({ ...processed, max_new_tokens: 1 })) as Tensor;
    expectTypeOf<ReturnType<PruneHandle['generate']>>().toEqualTypeOf<
      ReturnType<typeof on.loaded.model.generate>
    >();
    expect(output.dims).toHaveLength(2);
  });

  it('gives models different keys, within the documented limits', async () => {
    const keyOf = async (model: LoadedTinyModel, options: Partial<PruneOptions> = {}): Promise<string> => {
      const key = await on.attach(options, model).cacheKey(on.inputs);
      on.handle?.restore();
      return key;
    };
    const exposed = await buildTinyModel('llava', {
      directory: join(on.directory, 'exposed'),
      exposeVisionFeatures: true,
    });
    const other = await exposed.load();
    const keys = [
      await keyOf(on.loaded),
      await keyOf(on.loaded, { modelId: 'owner/one' }),
      await keyOf(on.loaded, { modelId: 'owner/two' }),
      await keyOf(other),
    ];
    const { vision_encoder: session } = on.loaded.model.sessions;
    const { config } = session;
    session.config = { ...config, dtype: 'fp16' };
    keys.push(await keyOf(on.loaded));
    session.config = config;
    expect(new Set(keys).size).toBe(keys.length);
    expect(await keyOf(on.loaded)).toBe(keys[0]);
    await other.dispose();
  });

  it('gives keys that depend on the length of the text only if the budget does', async () => {
    const own = on.attach();
    const longer = await on.loaded.inputs('where is the dog ? is the cat red ?', [
      noiseImage(on.llava.imageSize),
    ]);
    const fixed = { question: 'cat' };
    expect(await own.cacheKey(longer, fixed)).toBe(await own.cacheKey(on.inputs, fixed));
    const fitting = { question: 'cat', budget: { fitContext: 40 } };
    expect(await own.cacheKey(longer, fitting)).not.toBe(await own.cacheKey(on.inputs, fitting));
  });

  it('gives keys that change with the image, the question, and options, and with nothing else', async () => {
    on.attach();
    const key = await on.handle?.cacheKey(on.inputs);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    const other = await on.loaded.inputs('is the dog red ?', [noiseImage(on.llava.imageSize)]);
    const image = await on.loaded.inputs('is the cat red ?', [noiseImage(on.llava.imageSize, 2)]);
    const again = await on.loaded.inputs('is the cat red ?', [noiseImage(on.llava.imageSize)]);
    expect(await on.handle?.cacheKey(again)).toBe(key);
    for (const changed of [
      await on.handle?.cacheKey(other),
      await on.handle?.cacheKey(image),
      await on.handle?.cacheKey(on.inputs, { budget: { tokens: 5 } }),
      await on.handle?.cacheKey(on.inputs, { question: 'blue tree' }),
      await on.handle?.cacheKey(on.inputs, { coverage: [visionCoverage({ weight: 2 })] }),
    ]) {
      expect(changed).not.toBe(key);
    }
  });

  it('gives functions with different code different keys', async () => {
    const own = on.attach();
    const custom = (maximizer: object): CallOptions => ({ maximizer: maximizer as Maximizer });
    const [One, Other] = [
      class Mine {
        maximize(): number {
          return 0;
        }
      },
      class Mine {
        maximize(): number {
          return 1;
        }
      },
    ];
    const options: CallOptions[] = [
      { tiles: { max: 2 } },
      { tiles: { max: 2, by: () => [0, 1] } },
      { tiles: { max: 2, by: () => [1, 0] } },
      { select: () => [0, 1] },
      { select: () => [1, 0] },
      custom({ name: 'mine', maximize: () => 0 }),
      custom({ name: 'mine', maximize: () => 1 }),
      custom(new One()),
      custom(new Other()),
      { agent: async () => ({ answer: 'cat' }) },
      { agent: async () => ({ answer: 'dog' }) },
    ];
    const keys = await Promise.all(options.map((each) => own.cacheKey(on.inputs, each)));
    expect(new Set(keys).size).toBe(options.length);
    const again = await own.cacheKey(on.inputs, { tiles: { max: 2, by: () => [0, 1] } });
    expect(again).toBe(keys[1]);
  });

  it('reports to the call that made it', async () => {
    on.attach();
    const reports: number[] = [];
    await Promise.all(
      [3, 6].map((tokens) =>
        on.run({ budget: { tokens }, onReport: (report) => reports.push(report.keptTokens) }),
      ),
    );
    expect(reports.sort()).toEqual([3, 6]);
    expect(on.handle?.lastReport?.timings).toMatchObject({
      encodeMs: expect.any(Number),
      selectMs: expect.any(Number),
      prefillMs: expect.any(Number),
    });
  });

  it('waits for an async onReport, and rejects with its error', async () => {
    const handle = on.attach();
    const order: string[] = [];
    await on.run({
      onReport: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push('reported');
      },
    });
    order.push('returned');
    expect(order).toEqual(['reported', 'returned']);
    const failing = { onReport: async () => await Promise.reject(new Error('the log is full')) };
    await expect(on.run(failing)).rejects.toThrow('the log is full');
    await expect(on.loaded.model.forward({ ...on.inputs, mmtok: failing })).rejects.toThrow(
      'the log is full',
    );
    // The model is ready for the next call.
    await on.run({ budget: { tokens: 3 } });
    expect(handle.lastReport?.keptTokens).toBe(3);
  });
});
