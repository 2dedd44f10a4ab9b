// Budgets, focus, exclusions, objectives, and rejected options.

import { join } from 'node:path';
import { type RawImage, Tensor } from '@huggingface/transformers';
import {
  createReferenceBackend,
  InvalidBudgetError,
  InvalidOptionsError,
  saliency,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { describe, expect, it } from 'vitest';
import {
  AlreadyPrunedError,
  type CallOptions,
  PromptMismatchError,
  processInputs,
  prune,
  UnsupportedModelError,
} from '../src/index.js';
import { PrunedLlava } from './support/pruned-llava.js';
import { buildTinyModel, type ModelInputs, noiseImage } from './tiny-models/index.js';

const backend = createReferenceBackend();
const on = new PrunedLlava();

describe('focus', () => {
  const orderOf = () => on.handle?.lastReport?.images[0]?.selections[0]?.order;

  it.each([4, 'auto'] as const)('%s is shorthand for vision coverage with that focus', async (focus) => {
    on.attach();
    await on.run({ coverage: [visionCoverage({ focus })] });
    const order = orderOf();
    await on.run({ focus });
    expect(orderOf()).toEqual(order);
    expect(Object.keys(on.handle?.lastReport?.images[0]?.selections[0]?.coverage ?? {})).toEqual(['vision']);
  });

  it('of a call replaces the default selection, and vice versa', async () => {
    on.attach({
      select: ({ vision }, { tokens }) =>
        [...Array(tokens).keys()].map((_, i) => (vision.dims[0] as number) - 1 - i),
    });
    await on.run({ focus: 2 });
    expect(orderOf()).toHaveLength(4);
    on.handle?.restore();
    on.attach({ focus: 2 });
    await on.run({ coverage: [textCoverage()] });
    expect(Object.keys(on.handle?.lastReport?.images[0]?.selections[0]?.coverage ?? {})).toEqual(['text']);
  });

  it.each([
    [{ focus: -1 }, /focus/],
    [{ focus: 'strong' }, /focus/],
    [{ focus: 2, coverage: [visionCoverage()] }, /focus.*coverage/],
    [{ focus: 2, select: () => [] }, /focus.*select/],
  ])('rejects %j', async (wrong, problem) => {
    expect(() => on.attach(wrong as never)).toThrow(problem);
    on.attach();
    await expect(on.run(wrong as never)).rejects.toThrow(problem);
  });
});

describe('budgets', () => {
  it.each([
    [{ ratio: 0.25 }, 4],
    [{ tokens: 3 }, 3],
    [{ ratio: 0.01, min: 2 }, 2],
    [{ ratio: 0.9, max: 5 }, 5],
  ] as const)('%j keeps %i of 16', async (budget, kept) => {
    on.attach();
    await on.run({ budget });
    expect(on.handle?.lastReport?.keptTokens).toBe(kept);
  });

  it('reaches a coverage', async () => {
    on.attach();
    await on.run({ budget: { coverage: 0.8 } });
    const report = on.handle?.lastReport;
    expect(report?.reason).toBe('coverageReached');
    expect(report?.keptTokens).toBeLessThan(16);
  });

  it('fits a context', async () => {
    on.attach();
    const text = on.handle?.countTokens(on.inputs)[0]?.text as number;
    await on.run({ budget: { fitContext: text + 6 } });
    expect(on.handle?.lastReport?.prompts[0]).toMatchObject({
      promptTokens: text + 16,
      keptPromptTokens: text + 6,
    });
    await expect(on.run({ budget: { fitContext: text } })).rejects.toBeInstanceOf(InvalidBudgetError);
  });

  it('are skipped if pruning cannot pay off, and the report says so', async () => {
    on.attach({ minVisionTokens: 17 });
    await on.run();
    expect(on.handle?.lastReport).toMatchObject({
      reason: 'belowMinVisionTokens',
      visionTokens: 16,
      keptTokens: 16,
    });
    await on.run({ minVisionTokens: 0, budget: { ratio: 1 } });
    expect(on.handle?.lastReport).toMatchObject({ reason: 'belowBudget', keptTokens: 16 });
    await on.run({}, on.loaded.tokenizer(' user : is the cat red ? assistant : ') as never);
    expect(on.handle?.lastReport).toMatchObject({ reason: 'noImage', visionTokens: 0 });
  });

  it.each([0, -1, 1.5, Number.NaN])('reject { tokens: %d }', async (tokens) => {
    expect(() => on.attach({ budget: { tokens } })).toThrow(InvalidBudgetError);
    on.attach();
    await expect(on.run({ budget: { tokens } })).rejects.toBeInstanceOf(InvalidBudgetError);
  });

  it('reject what is not a budget', async () => {
    expect(() => on.attach({ budget: { ratio: 1.5 } })).toThrow(InvalidBudgetError);
    expect(() => on.attach({ budget: { fitContext: 0 } })).toThrow(InvalidBudgetError);
    expect(() => on.attach({ budget: undefined as never })).toThrow(InvalidBudgetError);
    expect(() => on.attach({ budget: [{ tokens: 1 }], allocation: 'shared' })).toThrow(InvalidOptionsError);
    on.attach();
    await expect(on.run({ budget: [{ tokens: 1 }, { tokens: 2 }] })).rejects.toThrow(/budget.*1.*2/);
  });
});

describe('exclusions', () => {
  it('are never kept, and all others are kept if the budget exceeds their number', async () => {
    on.attach({ budget: { tokens: 10 } });
    const exclude = [Array.from({ length: 12 }, (_, at) => at)];
    await on.run({ exclude });
    expect(on.handle?.lastReport?.images[0]).toMatchObject({
      reason: 'allSelectable',
      indices: [12, 13, 14, 15],
    });
  });

  it('follow the padding of an image', async () => {
    on.attach({ budget: { tokens: 10 } });
    await on.run({ paddedFrom: [{ width: 200, height: 100 }] }).catch((error: unknown) => {
      expect(error).toBeInstanceOf(PromptMismatchError);
    });
    const config = on.loaded.model.config as unknown as { vision_config: { image_size?: number } };
    config.vision_config.image_size = 32;
    await on.run({ paddedFrom: [{ width: 200, height: 100 }] });
    expect(on.handle?.lastReport?.images[0]?.indices).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    delete config.vision_config.image_size;
  });

  it.each([
    [{ exclude: [[16]] }, /exclude.*16/],
    [{ exclude: [[1], [2]] }, /exclude/],
    [{ paddedFrom: [] }, /paddedFrom/],
  ] as [CallOptions, RegExp][])('reject %j', async (mmtok, message) => {
    on.attach();
    await expect(on.run(mmtok)).rejects.toThrow(message);
  });
});

describe('objectives', () => {
  it('can be defined by the caller', async () => {
    on.attach({
      coverage: [textCoverage({ temperature: 0.1 }), visionCoverage({ features: 'vision' }), saliency()],
    });
    const bonus = Array.from({ length: 16 }, (_, at) => [at === 9 ? 100 : 0]);
    await on.run({ inputs: { saliency: bonus } });
    expect(on.handle?.lastReport?.images[0]?.selections[0]?.order[0]).toBe(9);
    await expect(on.run({ inputs: {} })).rejects.toThrow(/saliency/);
  });
});

describe('rejects', () => {
  it('a second handle', () => {
    on.attach();
    expect(() =>
      prune(on.loaded.model, { processor: on.loaded.processor, backend, budget: { tokens: 1 } }),
    ).toThrow(AlreadyPrunedError);
  });

  it('invalid options, by name', () => {
    const options = { processor: on.loaded.processor, backend, budget: { tokens: 1 } };
    expect(() => prune(on.loaded.model, { ...options, processor: undefined as never })).toThrow(/processor/);
    expect(() => prune(on.loaded.model, { ...options, processor: {} })).toThrow(InvalidOptionsError);
    expect(() => prune(on.loaded.model, { ...options, backend: 'ort' as never })).toThrow(/backend/);
    expect(() => prune(on.loaded.model, { ...options, positions: 'other' as never })).toThrow(
      InvalidOptionsError,
    );
    expect(() => prune(on.loaded.model, { ...options, keep: 3 } as never)).toThrow(/keep/);
  });

  it('options and inputs that cannot be read', async () => {
    const circular: Record<string, unknown> = { tokens: 1 };
    circular.self = circular;
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const own = on.attach();
    for (const budget of [circular, proxy, { fitContext: circular }, { firstTokenMs: circular }, [proxy]]) {
      const options = { budget } as unknown as CallOptions;
      await expect(on.run(options)).rejects.toBeInstanceOf(InvalidBudgetError);
      await expect(own.cacheKey(on.inputs, options)).rejects.toBeInstanceOf(InvalidBudgetError);
    }
    const named = { inputs: { circular } } as unknown as CallOptions;
    await expect(own.cacheKey(on.inputs, named)).rejects.toBeInstanceOf(InvalidOptionsError);
    const { processor } = on.loaded;
    expect(() => prune(proxy as never, { processor, budget: { tokens: 1 } })).toThrow(UnsupportedModelError);
    for (const wrong of [null, proxy]) {
      expect(() => own.countTokens(wrong as never)).toThrow(PromptMismatchError);
      await expect(own.cacheKey(wrong as never)).rejects.toBeInstanceOf(PromptMismatchError);
    }
    const questionTokens = { ids: [3], weights: [2] };
    for (const term of [proxy, { kind: 'coverage', name: 'mine' }, {}, null]) {
      const coverage = [term] as never;
      await expect(on.run({ coverage, questionTokens })).rejects.toBeInstanceOf(InvalidOptionsError);
      expect(() => prune(on.loaded.model, { processor, budget: { tokens: 1 }, coverage })).toThrow(
        InvalidOptionsError,
      );
    }
  });

  it.each([
    [{ max: 0 }],
    [{ max: 1.5 }],
    [{ share: 0 }],
    [{ share: 2 }],
    [{ worth: 0 }],
    [{ worth: 1.1 }],
    [{ worth: 0.5, min: 3, max: 2 }],
    [{ worth: 0.5, by: () => [0] }],
    [{ worth: 0.5, share: 0.5 }],
    [{ worth: Number.NaN }],
    [{ worth: '0.5' }],
    [{ worth: 0.5, min: 0 }],
    [{ worth: 0.5, max: Number.POSITIVE_INFINITY }],
    [[0.5]],
    ['most'],
    [null],
    [{}],
  ])('tiles: %j', async (tiles) => {
    expect(() => on.attach({ tiles: tiles as never })).toThrow(/tiles/);
    on.attach();
    const call = on.run({ tiles: tiles as never });
    await expect(call).rejects.toBeInstanceOf(InvalidOptionsError);
    await expect(call).rejects.toThrow(/tiles/);
  });

  it('tiles that cannot be read', async () => {
    const { proxy, revoke } = Proxy.revocable({ worth: 0.5 }, {});
    revoke();
    expect(() => on.attach({ tiles: proxy })).toThrow(InvalidOptionsError);
    on.attach();
    await expect(on.run({ tiles: proxy })).rejects.toBeInstanceOf(InvalidOptionsError);
  });

  it('models that cannot be pruned, with the reason', async () => {
    const options = { processor: on.loaded.processor, backend, budget: { tokens: 1 } };
    const { sessions, generate: run } = on.loaded.model;
    const like = (config: object, over: object = {}): never =>
      ({ config, sessions, generate: run, forward_params: [], ...over }) as never;
    for (const nothing of [{}, null, undefined, { config: { model_type: 'llava' }, sessions: null }])
      expect(() => prune(nothing as never, options)).toThrow(UnsupportedModelError);
    expect(() => prune(like({ model_type: 'bert' }), options)).toThrow(/bert/);
    expect(() => prune(like({ model_type: 'ultravox' }), options)).toThrow(/ultravox/);
    const { vision_encoder: _, ...textOnly } = sessions;
    expect(() => prune(like({ model_type: 'llava' }, { sessions: textOnly }), options)).toThrow(
      /vision_encoder.*LlavaForConditionalGeneration/,
    );
    const counting = await buildTinyModel('llava', {
      directory: join(on.directory, 'counting'),
      positionIds: false,
    });
    const model = await counting.load();
    on.attach({ positions: 'preserve' }, model);
    const call = on.run({}, on.inputs, model);
    await expect(call).rejects.toMatchObject({ code: 'MMTOK_UNSUPPORTED_MODEL' });
    on.handle?.restore();
    on.attach({}, model);
    await on.run({}, on.inputs, model);
    expect(on.handle?.lastReport?.positions).toBe('compact');
    await model.dispose();
  });

  it('prompts whose placeholders and images do not match', async () => {
    on.attach();
    const ids = on.inputs.input_ids as Tensor;
    const cut = Array.from(ids.data as BigInt64Array).filter(
      (id, at) => Number(id) !== on.llava.imageTokenId || at > 5,
    );
    const given = {
      ...on.inputs,
      input_ids: new Tensor('int64', BigInt64Array.from(cut), [1, cut.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(cut.length).fill(1n), [1, cut.length]),
    };
    await expect(on.run({}, given)).rejects.toBeInstanceOf(PromptMismatchError);
    expect(() => on.handle?.countTokens({})).toThrow(PromptMismatchError);
    const { pixel_values: _, ...blind } = on.inputs;
    await expect(on.run({}, blind)).rejects.toThrow(/16.*pixel_values/);
  });

  it('several images whose processor expands the first placeholder only, with the way around', async () => {
    on.attach();
    const images = [noiseImage(on.llava.imageSize), noiseImage(on.llava.imageSize, 2)];
    const process = on.loaded.processor as unknown as (
      images: RawImage[],
      text: string,
    ) => Promise<ModelInputs>;
    const given = await process(images, '<image><image> is the cat red ?');
    await expect(on.run({}, given)).rejects.toThrow(/17 .*32 .*first image only.*processInputs/);
    const built = await processInputs(await import('@huggingface/transformers'), on.loaded.processor, {
      prompt: '<image><image> is the cat red ?',
      images,
    });
    await on.run({ budget: { tokens: 3 } }, built);
    expect(on.handle?.lastReport?.images.map(({ keptTokens }) => keptTokens)).toEqual([3, 3]);
  });
});
