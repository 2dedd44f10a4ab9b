// Budgets, allocation, guards, and rejected options, for models with and without tiles.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cat, RawImage, Tensor } from '@huggingface/transformers';
import {
  createReferenceBackend,
  InvalidBudgetError,
  InvalidOptionsError,
  InvalidTensorError,
  type Maximizer,
  saliency,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { floatsToHalves } from '@mmtok/core/internal';
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  AlreadyPrunedError,
  type CallOptions,
  families,
  PromptMismatchError,
  type PruneHandle,
  type PruneOptions,
  processInputs,
  prune,
  UnsupportedModelError,
  VisionFeaturesError,
} from '../src/index.js';
import { toFloat32, toFloatType } from '../src/internal/tensors.js';
import { generate } from './support/reference.js';
import {
  buildTinyModel,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';

const backend = createReferenceBackend();
let directory: string;
let llava: TinyModel;
let loaded: LoadedTinyModel;
let inputs: ModelInputs;
let handle: PruneHandle | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'options-'));
  llava = await buildTinyModel('llava', { directory });
  loaded = await llava.load();
  inputs = await loaded.inputs('is the cat red ?', [noiseImage(llava.imageSize)]);
});
afterEach(() => handle?.restore());
afterAll(async () => {
  await loaded.dispose();
  await rm(directory, { recursive: true, force: true });
});

const attach = (options: Partial<PruneOptions> = {}, onto = loaded): PruneHandle => {
  handle = prune(onto.model, {
    processor: onto.processor,
    backend,
    budget: { tokens: 4 },
    minVisionTokens: 1,
    ...options,
  });
  return handle;
};
const run = (mmtok: CallOptions = {}, given: ModelInputs = inputs, on = loaded): Promise<unknown> =>
  generate(on.model, { ...given, max_new_tokens: 1, mmtok });

describe('focus', () => {
  const orderOf = () => handle?.lastReport?.images[0]?.selections[0]?.order;

  it.each([4, 'auto'] as const)('%s is shorthand for vision coverage with that focus', async (focus) => {
    attach();
    await run({ coverage: [visionCoverage({ focus })] });
    const order = orderOf();
    await run({ focus });
    expect(orderOf()).toEqual(order);
    expect(Object.keys(handle?.lastReport?.images[0]?.selections[0]?.coverage ?? {})).toEqual(['vision']);
  });

  it('of a call replaces the default selection, and vice versa', async () => {
    attach({
      select: ({ vision }, { tokens }) =>
        [...Array(tokens).keys()].map((_, i) => (vision.dims[0] as number) - 1 - i),
    });
    await run({ focus: 2 });
    expect(orderOf()).toHaveLength(4);
    handle?.restore();
    attach({ focus: 2 });
    await run({ coverage: [textCoverage()] });
    expect(Object.keys(handle?.lastReport?.images[0]?.selections[0]?.coverage ?? {})).toEqual(['text']);
  });

  it.each([
    [{ focus: -1 }, /focus/],
    [{ focus: 'strong' }, /focus/],
    [{ focus: 2, coverage: [visionCoverage()] }, /focus.*coverage/],
    [{ focus: 2, select: () => [] }, /focus.*select/],
  ])('rejects %j', async (wrong, problem) => {
    expect(() => attach(wrong as never)).toThrow(problem);
    attach();
    await expect(run(wrong as never)).rejects.toThrow(problem);
  });
});

describe('budgets', () => {
  it.each([
    [{ ratio: 0.25 }, 4],
    [{ tokens: 3 }, 3],
    [{ ratio: 0.01, min: 2 }, 2],
    [{ ratio: 0.9, max: 5 }, 5],
  ] as const)('%j keeps %i of 16', async (budget, kept) => {
    attach();
    await run({ budget });
    expect(handle?.lastReport?.keptTokens).toBe(kept);
  });

  it('reaches a coverage', async () => {
    attach();
    await run({ budget: { coverage: 0.8 } });
    const report = handle?.lastReport;
    expect(report?.reason).toBe('coverageReached');
    expect(report?.keptTokens).toBeLessThan(16);
  });

  it('fits a context', async () => {
    attach();
    const text = handle?.countTokens(inputs)[0]?.text as number;
    await run({ budget: { fitContext: text + 6 } });
    expect(handle?.lastReport?.prompts[0]).toMatchObject({
      promptTokens: text + 16,
      keptPromptTokens: text + 6,
    });
    await expect(run({ budget: { fitContext: text } })).rejects.toBeInstanceOf(InvalidBudgetError);
  });

  it('are skipped if pruning cannot pay off, and the report says so', async () => {
    attach({ minVisionTokens: 17 });
    await run();
    expect(handle?.lastReport).toMatchObject({
      reason: 'belowMinVisionTokens',
      visionTokens: 16,
      keptTokens: 16,
    });
    await run({ minVisionTokens: 0, budget: { ratio: 1 } });
    expect(handle?.lastReport).toMatchObject({ reason: 'belowBudget', keptTokens: 16 });
    await run({}, loaded.tokenizer(' user : is the cat red ? assistant : ') as never);
    expect(handle?.lastReport).toMatchObject({ reason: 'noImage', visionTokens: 0 });
  });

  it.each([0, -1, 1.5, Number.NaN])('reject { tokens: %d }', async (tokens) => {
    expect(() => attach({ budget: { tokens } })).toThrow(InvalidBudgetError);
    attach();
    await expect(run({ budget: { tokens } })).rejects.toBeInstanceOf(InvalidBudgetError);
  });

  it('reject what is not a budget', async () => {
    expect(() => attach({ budget: { ratio: 1.5 } })).toThrow(InvalidBudgetError);
    expect(() => attach({ budget: { fitContext: 0 } })).toThrow(InvalidBudgetError);
    expect(() => attach({ budget: undefined as never })).toThrow(InvalidBudgetError);
    expect(() => attach({ budget: [{ tokens: 1 }], allocation: 'shared' })).toThrow(InvalidOptionsError);
    attach();
    await expect(run({ budget: [{ tokens: 1 }, { tokens: 2 }] })).rejects.toThrow(/budget.*1.*2/);
  });
});

describe('exclusions', () => {
  it('are never kept, and all others are kept if the budget exceeds their number', async () => {
    attach({ budget: { tokens: 10 } });
    const exclude = [Array.from({ length: 12 }, (_, at) => at)];
    await run({ exclude });
    expect(handle?.lastReport?.images[0]).toMatchObject({
      reason: 'allSelectable',
      indices: [12, 13, 14, 15],
    });
  });

  it('follow the padding of an image', async () => {
    attach({ budget: { tokens: 10 } });
    await run({ paddedFrom: [{ width: 200, height: 100 }] }).catch((error: unknown) => {
      expect(error).toBeInstanceOf(PromptMismatchError);
    });
    const config = loaded.model.config as unknown as { vision_config: { image_size?: number } };
    config.vision_config.image_size = 32;
    await run({ paddedFrom: [{ width: 200, height: 100 }] });
    expect(handle?.lastReport?.images[0]?.indices).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    delete config.vision_config.image_size;
  });

  it.each([
    [{ exclude: [[16]] }, /exclude.*16/],
    [{ exclude: [[1], [2]] }, /exclude/],
    [{ paddedFrom: [] }, /paddedFrom/],
  ] as [CallOptions, RegExp][])('reject %j', async (mmtok, message) => {
    attach();
    await expect(run(mmtok)).rejects.toThrow(message);
  });
});

describe('a row of a batch', () => {
  let second: ModelInputs;
  let batch: ModelInputs;
  beforeAll(async () => {
    second = await loaded.inputs('is the cat red ?', [noiseImage(llava.imageSize, 77)]);
    batch = Object.fromEntries(
      ['input_ids', 'attention_mask', 'pixel_values'].map((name) => [
        name,
        cat([inputs[name] as Tensor, second[name] as Tensor], 0),
      ]),
    );
  });

  it('is standardized separately', async () => {
    attach({ standardize: 'on', coverage: [visionCoverage()], budget: { tokens: 6 } });
    await run({}, batch);
    const together = handle?.lastReport?.images.map((image) => image.indices);
    const alone: unknown[] = [];
    for (const row of [inputs, second]) {
      await run({}, row);
      alone.push(handle?.lastReport?.images[0]?.indices);
    }
    expect(together).toEqual(alone);
    expect(handle?.lastReport?.standardized).toBe(true);
  });

  it('is pruned or not on its own', async () => {
    attach({ minVisionTokens: 20 });
    await run({}, batch);
    expect(handle?.lastReport).toMatchObject({ reason: 'belowMinVisionTokens', keptTokens: 32 });
    handle?.restore();
    const tiles = await buildTinyModel('smolvlm', { directory });
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
    attach({ minVisionTokens: tiles.tokensPerImage + 1 }, smol);
    await run({}, both, smol);
    expect(handle?.lastReport?.images.map(({ reason, keptTokens }) => [reason, keptTokens])).toEqual([
      ['belowMinVisionTokens', tiles.tokensPerImage],
      ['pruned', 4],
      ['pruned', 4],
    ]);
    handle?.restore();
    await smol.dispose();
  });
});

describe('objectives', () => {
  it('can be defined by the caller', async () => {
    attach({
      coverage: [textCoverage({ temperature: 0.1 }), visionCoverage({ features: 'vision' }), saliency()],
    });
    const bonus = Array.from({ length: 16 }, (_, at) => [at === 9 ? 100 : 0]);
    await run({ inputs: { saliency: bonus } });
    expect(handle?.lastReport?.images[0]?.selections[0]?.order[0]).toBe(9);
    await expect(run({ inputs: {} })).rejects.toThrow(/saliency/);
  });
});

describe('vision features', () => {
  it('from before the projector are used if the encoder outputs them, and an error if required but missing', async () => {
    const exposing = await buildTinyModel('llava', {
      directory: join(directory, 'exposed'),
      exposeVisionFeatures: true,
    });
    const model = await exposing.load();
    attach({}, model);
    await run({}, inputs, model);
    expect(handle?.lastReport?.visionFeatureSource).toBe('preProjector');
    await run({ visionFeatures: 'projected' }, inputs, model);
    expect(handle?.lastReport?.visionFeatureSource).toBe('projected');
    await run({ featureOutput: 'vision_features', standardize: 'on' }, inputs, model);
    expect(handle?.lastReport).toMatchObject({ visionFeatureSource: 'preProjector', standardized: true });
    await expect(run({ featureOutput: 'nonsense' }, inputs, model)).rejects.toBeInstanceOf(
      VisionFeaturesError,
    );
    handle?.restore();
    await model.dispose();
    attach({ visionFeatures: 'preProjector' });
    await expect(run()).rejects.toMatchObject({ code: 'MMTOK_VISION_FEATURES' });
  });

  it('in half precision are read, and are converted to the precision of the language model', async () => {
    attach();
    const { vision_encoder: session } = loaded.model.sessions;
    await run();
    const order = handle?.lastReport?.images[0]?.selections[0]?.order;
    loaded.model.sessions.vision_encoder = {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      async run(feeds: unknown) {
        const { image_features } = await session.run(feeds);
        const half = floatsToHalves(image_features.data);
        return { image_features: new image_features.constructor('float16', half, image_features.dims) };
      },
    };
    await run();
    loaded.model.sessions.vision_encoder = session;
    expect(handle?.lastReport?.images[0]?.selections[0]?.order).toEqual(order);
    const whole = toFloatType(new Tensor('float32', [1.5, -0.25], [2]), 'float16');
    expect(Array.from(toFloat32(whole).data)).toEqual([1.5, -0.25]);
  });

  it('come with a saliency if the encoder outputs one: terms read it, and the report has it', async () => {
    const options = { directory: join(directory, 'salient'), exposeSaliency: true };
    const model = await (await buildTinyModel('llava', options)).load();
    const terms = [textCoverage(), visionCoverage(), saliency({ weight: 1e3 })];
    attach({}, model);
    await run({ coverage: terms }, inputs, model);
    const { vision_encoder: session } = model.model.sessions;
    const given = handle?.lastReport?.images[0]?.saliency as Float32Array;
    expect(given).toHaveLength(16);
    const ranked = [...given.keys()].sort((a, b) => given[b]! - given[a]!);
    expect(handle?.lastReport?.images[0]?.selections[0]?.order).toEqual(ranked.slice(0, 4));
    const own = Array.from({ length: 16 }, (_, at) => [at === 9 ? 1 : 0]);
    await run({ coverage: terms, inputs: { saliency: own } }, inputs, model);
    expect(handle?.lastReport?.images[0]?.selections[0]?.order[0]).toBe(9);
    await run({}, inputs, model);
    expect(handle?.lastReport?.images[0]?.saliency).toEqual(given);

    model.model.sessions.vision_encoder = {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      async run(feeds: unknown) {
        const { vision_saliency, ...outputs } = await session.run(feeds);
        const longer = new Float32Array(17);
        return { ...outputs, vision_saliency: new vision_saliency.constructor('float32', longer, [1, 17]) };
      },
    };
    await expect(run({}, inputs, model)).rejects.toThrow(/vision_saliency.*\[1,17\].*16/);
    model.model.sessions.vision_encoder = session;
    handle?.restore();
    await model.dispose();
  });

  it('come with a saliency per tile if images are tiled', async () => {
    const options = { directory: join(directory, 'salient'), exposeSaliency: true };
    const tiny = await buildTinyModel('idefics3', options);
    const model = await tiny.load();
    const tiled = await model.inputs('is the cat red ?', [noiseImage(tiny.imageSize)]);
    attach({ budget: { ratio: 0.5 } }, model);
    await run({ coverage: [saliency()], allocation: 'perTile' }, tiled, model);
    const [image] = handle?.lastReport?.images ?? [];
    expect(image?.saliency).toHaveLength(tiny.tokensPerImage);
    expect(image?.selections.length).toBeGreaterThan(1);
    handle?.restore();
    await model.dispose();
  });

  it('that are not finite are rejected', async () => {
    attach();
    const { vision_encoder: session } = loaded.model.sessions;
    loaded.model.sessions.vision_encoder = {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      async run(feeds: unknown) {
        const outputs = await session.run(feeds);
        outputs.image_features.data[5] = Number.NaN;
        return outputs;
      },
    };
    await expect(run()).rejects.toBeInstanceOf(InvalidTensorError);
    loaded.model.sessions.vision_encoder = session;
  });
});

describe('rejects', () => {
  it('a second handle', () => {
    attach();
    expect(() =>
      prune(loaded.model, { processor: loaded.processor, backend, budget: { tokens: 1 } }),
    ).toThrow(AlreadyPrunedError);
  });

  it('invalid options, by name', () => {
    const options = { processor: loaded.processor, backend, budget: { tokens: 1 } };
    expect(() => prune(loaded.model, { ...options, processor: undefined as never })).toThrow(/processor/);
    expect(() => prune(loaded.model, { ...options, processor: {} })).toThrow(InvalidOptionsError);
    expect(() => prune(loaded.model, { ...options, backend: 'ort' as never })).toThrow(/backend/);
    expect(() => prune(loaded.model, { ...options, positions: 'other' as never })).toThrow(
      InvalidOptionsError,
    );
    expect(() => prune(loaded.model, { ...options, keep: 3 } as never)).toThrow(/keep/);
  });

  it('options and inputs that cannot be read', async () => {
    const circular: Record<string, unknown> = { tokens: 1 };
    circular.self = circular;
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const own = attach();
    for (const budget of [circular, proxy, { fitContext: circular }, { firstTokenMs: circular }, [proxy]]) {
      const options = { budget } as unknown as CallOptions;
      await expect(run(options)).rejects.toBeInstanceOf(InvalidBudgetError);
      await expect(own.cacheKey(inputs, options)).rejects.toBeInstanceOf(InvalidBudgetError);
    }
    const named = { inputs: { circular } } as unknown as CallOptions;
    await expect(own.cacheKey(inputs, named)).rejects.toBeInstanceOf(InvalidOptionsError);
    const { processor } = loaded;
    expect(() => prune(proxy as never, { processor, budget: { tokens: 1 } })).toThrow(UnsupportedModelError);
    for (const wrong of [null, proxy]) {
      expect(() => own.countTokens(wrong as never)).toThrow(PromptMismatchError);
      await expect(own.cacheKey(wrong as never)).rejects.toBeInstanceOf(PromptMismatchError);
    }
    const questionTokens = { ids: [3], weights: [2] };
    for (const term of [proxy, { kind: 'coverage', name: 'mine' }, {}, null]) {
      const coverage = [term] as never;
      await expect(run({ coverage, questionTokens })).rejects.toBeInstanceOf(InvalidOptionsError);
      expect(() => prune(loaded.model, { processor, budget: { tokens: 1 }, coverage })).toThrow(
        InvalidOptionsError,
      );
    }
  });

  it('models that cannot be pruned, with the reason', async () => {
    const options = { processor: loaded.processor, backend, budget: { tokens: 1 } };
    const { sessions, generate: run } = loaded.model;
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
      directory: join(directory, 'counting'),
      positionIds: false,
    });
    const model = await counting.load();
    attach({ positions: 'preserve' }, model);
    await expect(run2(model)).rejects.toMatchObject({ code: 'MMTOK_UNSUPPORTED_MODEL' });
    attachAgain(model);
    await run2(model);
    expect(handle?.lastReport?.positions).toBe('compact');
    await model.dispose();
  });

  const run2 = (model: LoadedTinyModel): Promise<unknown> => run({}, inputs, model);
  const attachAgain = (model: LoadedTinyModel): void => {
    handle?.restore();
    attach({}, model);
  };

  it('prompts whose placeholders and images do not match', async () => {
    attach();
    const ids = inputs.input_ids as Tensor;
    const cut = Array.from(ids.data as BigInt64Array).filter(
      (id, at) => Number(id) !== llava.imageTokenId || at > 5,
    );
    const given = {
      ...inputs,
      input_ids: new Tensor('int64', BigInt64Array.from(cut), [1, cut.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(cut.length).fill(1n), [1, cut.length]),
    };
    await expect(run({}, given)).rejects.toBeInstanceOf(PromptMismatchError);
    expect(() => handle?.countTokens({})).toThrow(PromptMismatchError);
    const { pixel_values: _, ...blind } = inputs;
    await expect(run({}, blind)).rejects.toThrow(/16.*pixel_values/);
  });

  it('several images whose processor expands the first placeholder only, with the way around', async () => {
    attach();
    const images = [noiseImage(llava.imageSize), noiseImage(llava.imageSize, 2)];
    const process = loaded.processor as unknown as (images: RawImage[], text: string) => Promise<ModelInputs>;
    const given = await process(images, '<image><image> is the cat red ?');
    await expect(run({}, given)).rejects.toThrow(/17 .*32 .*first image only.*processInputs/);
    const built = await processInputs(await import('@huggingface/transformers'), loaded.processor, {
      prompt: '<image><image> is the cat red ?',
      images,
    });
    await run({ budget: { tokens: 3 } }, built);
    expect(handle?.lastReport?.images.map(({ keptTokens }) => keptTokens)).toEqual([3, 3]);
  });
});

describe('handle', () => {
  it('counts tokens without running the model', () => {
    attach();
    expect(handle?.countTokens(inputs)).toEqual([
      { vision: 16, text: (inputs.input_ids?.dims[1] as number) - 16, total: inputs.input_ids?.dims[1] },
    ]);
  });

  it('accepts the types of the model and its processor', async () => {
    interface Processed {
      readonly input_ids: Tensor;
      readonly attention_mask: Tensor;
      readonly pixel_values: Tensor;
    }
    const processed = { ...inputs } as unknown as Processed;
    const own = attach();
    expect(own.countTokens(processed)).toEqual(own.countTokens(inputs));
    expect(await own.cacheKey(processed)).toBe(await own.cacheKey(inputs));
    const output = (await own.generate({ ...processed, max_new_tokens: 1 })) as Tensor;
    expectTypeOf<ReturnType<PruneHandle['generate']>>().toEqualTypeOf<
      ReturnType<typeof loaded.model.generate>
    >();
    expect(output.dims).toHaveLength(2);
  });

  it('gives models different keys, within the documented limits', async () => {
    const keyOf = async (on: LoadedTinyModel, options: Partial<PruneOptions> = {}): Promise<string> => {
      const key = await attach(options, on).cacheKey(inputs);
      handle?.restore();
      return key;
    };
    const exposed = await buildTinyModel('llava', {
      directory: join(directory, 'exposed'),
      exposeVisionFeatures: true,
    });
    const other = await exposed.load();
    const keys = [
      await keyOf(loaded),
      await keyOf(loaded, { modelId: 'owner/one' }),
      await keyOf(loaded, { modelId: 'owner/two' }),
      await keyOf(other),
    ];
    const { vision_encoder: session } = loaded.model.sessions;
    const { config } = session;
    session.config = { ...config, dtype: 'fp16' };
    keys.push(await keyOf(loaded));
    session.config = config;
    expect(new Set(keys).size).toBe(keys.length);
    expect(await keyOf(loaded)).toBe(keys[0]);
    await other.dispose();
  });

  it('gives keys that depend on the length of the text only if the budget does', async () => {
    const own = attach();
    const longer = await loaded.inputs('where is the dog ? is the cat red ?', [noiseImage(llava.imageSize)]);
    const fixed = { question: 'cat' };
    expect(await own.cacheKey(longer, fixed)).toBe(await own.cacheKey(inputs, fixed));
    const fitting = { question: 'cat', budget: { fitContext: 40 } };
    expect(await own.cacheKey(longer, fitting)).not.toBe(await own.cacheKey(inputs, fitting));
  });

  it('gives keys that change with the image, the question, and options, and with nothing else', async () => {
    attach();
    const key = await handle?.cacheKey(inputs);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    const other = await loaded.inputs('is the dog red ?', [noiseImage(llava.imageSize)]);
    const image = await loaded.inputs('is the cat red ?', [noiseImage(llava.imageSize, 2)]);
    const again = await loaded.inputs('is the cat red ?', [noiseImage(llava.imageSize)]);
    expect(await handle?.cacheKey(again)).toBe(key);
    for (const changed of [
      await handle?.cacheKey(other),
      await handle?.cacheKey(image),
      await handle?.cacheKey(inputs, { budget: { tokens: 5 } }),
      await handle?.cacheKey(inputs, { question: 'blue tree' }),
      await handle?.cacheKey(inputs, { coverage: [visionCoverage({ weight: 2 })] }),
    ]) {
      expect(changed).not.toBe(key);
    }
  });

  it('gives functions with different code different keys', async () => {
    const own = attach();
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
    const keys = await Promise.all(options.map((each) => own.cacheKey(inputs, each)));
    expect(new Set(keys).size).toBe(options.length);
    const again = await own.cacheKey(inputs, { tiles: { max: 2, by: () => [0, 1] } });
    expect(again).toBe(keys[1]);
  });

  it('reports to the call that made it', async () => {
    attach();
    const reports: number[] = [];
    await Promise.all(
      [3, 6].map((tokens) =>
        run({ budget: { tokens }, onReport: (report) => reports.push(report.keptTokens) }),
      ),
    );
    expect(reports.sort()).toEqual([3, 6]);
    expect(handle?.lastReport?.timings).toMatchObject({
      encodeMs: expect.any(Number),
      selectMs: expect.any(Number),
      prefillMs: expect.any(Number),
    });
  });
});

describe('tiles and frames', () => {
  let smol: LoadedTinyModel;
  let tiles: TinyModel;
  beforeAll(async () => {
    tiles = await buildTinyModel('smolvlm', { directory });
    smol = await tiles.load();
  });
  afterAll(() => smol.dispose());

  it('share a budget per image, per tile, or all together, with minimums', async () => {
    const images = [noiseImage(tiles.imageSize), noiseImage(tiles.imageSize, 2)];
    const prompt = await smol.inputs('is the cat red ?', images);
    attach({ budget: { tokens: 6 } }, smol);
    await run({}, prompt, smol);
    expect(handle?.lastReport?.images.map((image) => image.keptTokens)).toEqual([6, 6]);
    const tileCount = handle?.lastReport?.images[0]?.tiles.length as number;
    expect(tileCount).toBeGreaterThan(1);

    await run({ budget: { tokens: tileCount }, minTokens: 1 }, prompt, smol);
    for (const image of handle?.lastReport?.images ?? []) {
      expect(image.tiles.map((tile) => tile.indices.length)).toEqual(image.tiles.map(() => 1));
    }
    await run({ budget: { tokens: 2 }, allocation: 'perTile' }, prompt, smol);
    for (const image of handle?.lastReport?.images ?? []) {
      expect(image.tiles.map((tile) => tile.indices.length)).toEqual(image.tiles.map(() => 2));
      expect(image.selections).toHaveLength(tileCount);
    }
    await run({ budget: { tokens: 7 }, allocation: 'shared', minTokens: 2 }, prompt, smol);
    const shared = handle?.lastReport?.images.map((image) => image.keptTokens) as number[];
    expect(shared.reduce((sum, one) => sum + one, 0)).toBe(7);
    expect(Math.min(...shared)).toBeGreaterThanOrEqual(2);
  });

  it('that are kept whole are in the order too', async () => {
    attach({ budget: { ratio: 1 }, allocation: 'perTile' }, smol);
    const prompt = await smol.inputs('is the cat red ?', [noiseImage(tiles.imageSize)]);
    await run({ exclude: [[0, 2]] }, prompt, smol);
    const image = handle?.lastReport?.images[0];
    expect(image?.reason).toBe('allSelectable');
    expect(image?.order?.toSorted((a, b) => a - b)).toEqual(image?.indices);
  });

  it('are rejected if the prompt has fewer placeholders than the tiles have tokens', async () => {
    attach({}, smol);
    const prompt = await smol.inputs('is the cat red ?', [noiseImage(tiles.imageSize)]);
    const ids = Array.from((prompt.input_ids as Tensor).data as BigInt64Array);
    ids.splice(ids.indexOf(BigInt(tiles.imageTokenId)), 1);
    const given = {
      ...prompt,
      input_ids: new Tensor('int64', BigInt64Array.from(ids), [1, ids.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), [1, ids.length]),
    };
    await expect(run({}, given, smol)).rejects.toMatchObject({ code: 'MMTOK_PROMPT_MISMATCH' });
  });

  it('keep their markers when all their tokens are removed', async () => {
    attach({ budget: { tokens: 1 } }, smol);
    const prompt = await smol.inputs('is the cat red ?', [noiseImage(tiles.imageSize)]);
    const seen: number[][] = [];
    const { embed_tokens: session } = smol.model.sessions;
    const run1 = session.run;
    session.run = (feeds: { input_ids: Tensor }) => {
      seen.push(Array.from(feeds.input_ids.data as BigInt64Array, Number));
      return run1.call(session, feeds);
    };
    await run({}, prompt, smol);
    session.run = run1;
    const full = Array.from(prompt.input_ids?.data as unknown as BigInt64Array, Number);
    const isImage = (id: number): boolean => id === tiles.imageTokenId;
    const shortest = seen.find((ids) => ids.filter(isImage).length === 1) as number[];
    expect(shortest.filter((id) => !isImage(id))).toEqual(full.filter((id) => !isImage(id)));
  });

  it('of a static scene cost little: what one frame shows is not kept again in the next', async () => {
    const still = noiseImage(llava.imageSize);
    const other = noiseImage(llava.imageSize, 9);
    const frames = [still, new RawImage(still.data, still.width, still.height, 3), other];
    const prompt = await smol.inputs('is the cat red ?', frames);
    attach(
      { budget: { ratio: 0.25 }, allocation: 'shared', coverage: [visionCoverage({ temperature: 0.02 })] },
      smol,
    );
    await run({}, prompt, smol);
    const [first, second, third] = (handle?.lastReport?.images ?? []).map((image) => image.keptTokens) as [
      number,
      number,
      number,
    ];
    expect(second).toBeLessThan(first);
    expect(third).toBeGreaterThan(second);
    await run({ minTokens: 3 }, prompt, smol);
    expect(
      Math.min(...(handle?.lastReport?.images.map((image) => image.keptTokens) ?? [])),
    ).toBeGreaterThanOrEqual(3);
  });
});

describe('families', () => {
  it('name every model type once', () => {
    const types = families.flatMap((family) => family.modelTypes);
    expect(new Set(types).size).toBe(types.length);
  });
});
