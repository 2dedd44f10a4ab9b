// One suite for all pruned families: what must stay the same for users of the model, and what must change.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor, TextStreamer } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { families, type PruneHandle, type PruneOptions, prune } from '../src/index.js';
import { bytesOf, oneByOne, padded } from './support/batches.js';
import { answerOf, extended, generate, referenceTokens } from './support/reference.js';
import {
  buildTinyModel,
  type FamilyName,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
  families as tinyFamilies,
} from './tiny-models/index.js';
import { embeddingSession, whileFed } from './tiny-models/session-probe.js';

const QUESTION = 'what is in the image ?';
const COUNT = 6;
const backend = createReferenceBackend();

const supported = new Set(
  families.flatMap((family) => (family.status === 'pruned' ? family.modelTypes : [])),
);
const only = process.env.FAMILY?.split(',');
const names = (Object.keys(tinyFamilies) as FamilyName[]).filter(
  (name) => supported.has(name) && (only?.includes(name) ?? true),
);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pruned-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each(names)('%s', (name) => {
  let tiny: TinyModel;
  let loaded: LoadedTinyModel;
  let pristine: LoadedTinyModel;
  let inputs: ModelInputs;
  let baseline: number[];
  let handle: PruneHandle | undefined;
  let few: number;
  let more: number;
  const isEncoder = name === ('florence2' as string);
  const promptLength = (): number => (isEncoder ? 1 : (inputs.input_ids?.dims[1] as number));

  beforeAll(async () => {
    tiny = await buildTinyModel(name, { directory });
    few = Math.min(4, Math.floor(tiny.tokensPerImage / 2));
    more = few + Math.min(3, tiny.tokensPerImage - few - 1);
    loaded = await tiny.load();
    pristine = await tiny.load();
    inputs = await loaded.inputs(QUESTION, [noiseImage(tiny.imageSize)]);
    baseline = await run(pristine, {});
  });
  afterEach(() => handle?.restore());
  afterAll(async () => {
    await loaded.dispose();
    await pristine.dispose();
  });

  const attach = (options: Partial<PruneOptions> = {}, onto = loaded): PruneHandle => {
    handle = prune(onto.model, {
      processor: (onto.processor.tokenizer === undefined
        ? { tokenizer: onto.tokenizer }
        : onto.processor) as never,
      backend,
      budget: { tokens: few },
      minVisionTokens: 1,
      ...options,
    });
    return handle;
  };
  const run = async (
    on: LoadedTinyModel,
    options: Record<string, unknown>,
    given = inputs,
  ): Promise<number[]> =>
    answerOf(await generate(on.model, { ...given, max_new_tokens: COUNT, ...options }), promptLength());
  /** Kept vision tokens of all images, counted over the prompt. */
  const keptOf = (of: PruneHandle): number[] => {
    const kept: number[] = [];
    let start = 0;
    for (const image of of.lastReport?.images ?? []) {
      kept.push(...image.indices.map((index) => start + index));
      start += image.visionTokens;
    }
    return kept;
  };

  it('generates the unpruned tokens if the budget keeps all', async () => {
    attach({ budget: { tokens: 10_000 } });
    expect(handle?.lastReport).toBeUndefined();
    expect(await run(loaded, {})).toEqual(baseline);
    expect(handle?.lastReport).toMatchObject({ reason: 'belowBudget', keptTokens: tiny.tokensPerImage });
  });

  it('generates the same as the library on the shortened prompt, with preserved positions', async () => {
    attach();
    const answer = await run(loaded, {});
    const kept = keptOf(handle as PruneHandle);
    expect(kept).toHaveLength(few);
    const compact = handle?.lastReport?.positions === 'compact';
    expect(compact).toBe(tiny.positions === 'internal');
    expect(answer).toEqual(await referenceTokens({ tiny, pristine, inputs, kept, compact, count: COUNT }));
    expect(handle?.lastReport).toMatchObject({
      reason: 'pruned',
      visionTokens: tiny.tokensPerImage,
      keptTokens: few,
    });
    expect(handle?.lastReport?.prompts[0]?.question).toMatchObject({
      source: 'lastUserTurn',
      words: ['in', 'image'],
    });
  });

  it('gives kept tokens their original positions, or contiguous ones', async ({ skip }) => {
    skip(tiny.positions === 'internal', 'the encoder counts positions itself');
    const fedTo = async (on: LoadedTinyModel, options: Record<string, unknown>): Promise<number[][]> => {
      const fed: number[][] = [];
      await whileFed(
        embeddingSession(on.model),
        (feeds) => {
          fed.push(Array.from(feeds.position_ids?.data as BigInt64Array, Number));
          return feeds;
        },
        () => run(on, { ...options, max_new_tokens: 2 }),
      );
      return fed;
    };
    const [full = [], next] = await fedTo(pristine, {});
    attach();
    const [kept, nextKept] = await fedTo(loaded, {});
    const slots = tiny.visualSlots(inputs);
    const keptSlots = keptOf(handle as PruneHandle).map((index) => slots[index]);
    const stays = (column: number): boolean => !slots.includes(column) || keptSlots.includes(column);
    expect(kept).toEqual(full.filter((_, at) => stays(at % promptLength())));
    expect(nextKept).toEqual(next);
    const [compact = []] = await fedTo(loaded, { mmtok: { positions: 'compact' } });
    const length = kept?.length as number;
    const axes = full.length / promptLength();
    const first = full[0] as number;
    expect(compact).toEqual(Array.from({ length }, (_, at) => first + (at % (length / axes))));
  });

  it('generates the same as the library on the shortened prompt, with contiguous positions', async () => {
    attach({ budget: { ratio: 0.5 }, positions: 'compact' });
    const answer = await run(loaded, {});
    const kept = keptOf(handle as PruneHandle);
    expect(answer).toEqual(
      await referenceTokens({ tiny, pristine, inputs, kept, compact: true, count: COUNT }),
    );
  });

  it('keeps exactly the tokens that are not excluded, wherever they are', async () => {
    attach({ budget: { tokens: tiny.tokensPerImage } });
    for (const seed of [1, 2, 3]) {
      const kept = Array.from({ length: tiny.tokensPerImage }, (_, at) => at).filter(
        (at) => Math.sin(seed * 12.9898 + at * 78.233) > 0.2,
      );
      const exclude = Array.from({ length: tiny.tokensPerImage }, (_, at) => at).filter(
        (at) => !kept.includes(at),
      );
      const answer = await run(loaded, { mmtok: { exclude: [exclude] } });
      expect(keptOf(handle as PruneHandle)).toEqual(kept);
      const compact = tiny.positions === 'internal';
      expect(answer).toEqual(await referenceTokens({ tiny, pristine, inputs, kept, compact, count: COUNT }));
    }
  });

  it('gathers the selected rows', async () => {
    const marked = await buildTinyModel(name, { directory: join(directory, 'marked'), markRows: true });
    const model = await marked.load();
    attach({ budget: { tokens: more } }, model);
    let seen: number[] = [];
    await whileFed(
      embeddingSession(model.model),
      (feeds) => {
        const { data, dims } = feeds.inputs_embeds!;
        const width = dims[2] as number;
        if ((dims[1] as number) > 1) {
          seen = Array.from({ length: dims[1] as number }, (_, at) =>
            Number(data[(at + 1) * width - 1]),
          ).filter((mark) => Number.isInteger(mark));
        }
        return feeds;
      },
      () => run(model, { max_new_tokens: 1 }),
    );
    expect(seen.filter((mark) => keptOf(handle as PruneHandle).includes(mark))).toEqual(
      keptOf(handle as PruneHandle),
    );
    await model.dispose();
  });

  it('returns the whole prompt and streams as before', async () => {
    attach();
    const streamed: bigint[][] = [];
    const streamer = new TextStreamer(loaded.tokenizer, {
      skip_prompt: true,
      callback_function: () => undefined,
    });
    const put = streamer.put.bind(streamer);
    streamer.put = (value) => {
      streamed.push(...value);
      put(value);
    };
    const sequences = (await generate(loaded.model, {
      ...inputs,
      max_new_tokens: COUNT,
      streamer,
    })) as Tensor;
    expect(sequences.dims).toEqual([1, promptLength() + COUNT]);
    // An encoder-decoder's sequence begins with its start token, not with the prompt.
    const begun = isEncoder ? [streamed[0]?.[0]] : Array.from(inputs.input_ids?.data as BigInt64Array);
    expect(Array.from(sequences.data as BigInt64Array).slice(0, begun.length)).toEqual(begun);
    expect(streamed[0]?.slice(0, begun.length)).toEqual(begun);
    expect(streamed).toHaveLength(1 + COUNT);
  });

  it.runIf(isEncoder)('does not count vision tokens that the prompt does not contain', () => {
    attach();
    expect(() => handle?.countTokens(inputs)).toThrow(/Florence/);
  });

  it('can be overridden and disabled for one call', async () => {
    attach();
    await run(loaded, { mmtok: { budget: { tokens: more } } });
    expect(handle?.lastReport?.keptTokens).toBe(more);
    expect(await run(loaded, { mmtok: false })).toEqual(baseline);
    expect(handle?.lastReport?.reason).toBe('disabled');
    await run(loaded, {});
    expect(handle?.lastReport?.keptTokens).toBe(few);
  });

  it('keeps concurrent calls separate', async () => {
    attach();
    const alone = [await run(loaded, {}), await run(loaded, { mmtok: { budget: { tokens: more } } })];
    const together = await Promise.all([
      run(loaded, {}),
      run(loaded, { mmtok: { budget: { tokens: more } } }),
    ]);
    expect(together).toEqual(alone);
  });

  it('leaves the model unchanged when restored', async () => {
    const params = loaded.model.forward_params;
    attach();
    await run(loaded, {});
    handle?.restore();
    expect(loaded.model.forward_params).toEqual(params);
    expect(Object.hasOwn(loaded.model, 'generate')).toBe(false);
    expect(Object.hasOwn(loaded.model, 'forward')).toBe(false);
    expect(await run(loaded, {})).toEqual(baseline);
  });

  it('puts back earlier patches when restored', async () => {
    const { model } = loaded;
    const before = model.forward_params;
    const own = async (): Promise<string> => 'mine';
    Object.assign(model, { generate: own });
    attach();
    model.forward_params = [...model.forward_params, 'more'];
    handle?.restore();
    expect(model.generate).toBe(own);
    expect(model.forward_params).toEqual([...before, 'more']);
    Reflect.deleteProperty(model, 'generate');
    model.forward_params = before;
  });

  it('does not change the inputs of a direct call', async () => {
    attach();
    const given = isEncoder
      ? { ...inputs, decoder_input_ids: new Tensor('int64', [2n], [1, 1]) }
      : { ...inputs };
    const before: Record<string, Tensor> = { ...given };
    const contents = bytesOf(given);
    const { logits } = await loaded.model(given);
    expect(Object.keys(given)).toEqual(Object.keys(before));
    for (const [key, tensor] of Object.entries(given)) expect(Object.is(tensor, before[key]), key).toBe(true);
    expect(bytesOf(given)).toEqual(contents);
    if (!isEncoder) expect((logits as Tensor).dims[1]).toBe(promptLength() - tiny.tokensPerImage + few);
    expect(handle?.lastReport?.keptTokens).toBe(few);
  });

  it.skipIf(isEncoder || !tinyFamilies[name].severalImages)(
    'prunes several images, each to its own budget',
    async () => {
      const both = await loaded.inputs(QUESTION, [noiseImage(tiny.imageSize), noiseImage(tiny.imageSize, 2)]);
      const budget = [{ tokens: few }, { tokens: more }];
      attach();
      const prompt = both.input_ids?.dims[1] as number;
      const slots = tiny.visualSlots(both).length;
      const answer = answerOf(
        await generate(loaded.model, { ...both, max_new_tokens: COUNT, mmtok: { budget } }),
        prompt,
      );
      expect(handle?.lastReport?.images.map((image) => image.keptTokens)).toEqual([few, more]);
      expect(handle?.lastReport?.visionTokens).toBe(slots);
      const kept = keptOf(handle as PruneHandle);
      const compact = tiny.positions === 'internal';
      const expected = await referenceTokens({ tiny, pristine, inputs: both, kept, compact, count: COUNT });
      expect(answer).toEqual(expected);
    },
  );

  it.skipIf(isEncoder)('continues from a pruned cache as in a single prompt', async () => {
    attach();
    const first = (await generate(loaded.model, {
      ...inputs,
      max_new_tokens: COUNT,
      return_dict_in_generate: true,
    })) as { sequences: Tensor; past_key_values: object };
    const kept = keptOf(handle as PruneHandle);
    const more = loaded.tokenizer(' user : what color is it ? assistant : ', { add_special_tokens: false });
    const said = [
      ...Array.from(first.sequences.data as BigInt64Array).slice(promptLength()),
      ...(more.input_ids.data as BigInt64Array),
    ];
    const second = extended(inputs, said);
    const { pixel_values: _, ...withoutPixels } = second;
    const prompt = second.input_ids?.dims[1] as number;
    const answers = await generate(loaded.model, {
      ...(name === ('multi_modality' as string) ? second : withoutPixels),
      past_key_values: first.past_key_values,
      max_new_tokens: COUNT,
    });
    const compact = tiny.positions === 'internal';
    const expected = await referenceTokens({ tiny, pristine, inputs: second, kept, compact, count: COUNT });
    expect(answerOf(answers, prompt)).toEqual(expected);
    expect(handle?.lastReport?.reason).toBe('cached');
  });

  // Janus' processor and its decode steps support only batches of one.
  it.skipIf(name === ('multi_modality' as string))(
    'answers a batch of different budgets as it answers its rows',
    async () => {
      attach();
      const { vision_encoder: encoder } = loaded.model.sessions;
      loaded.model.sessions.vision_encoder = oneByOne(encoder);
      const other = await loaded.inputs('what color is the circle in the image ?', [
        noiseImage(tiny.imageSize, 2),
      ]);
      const budgets = [{ tokens: few }, { tokens: more }];
      const single = [
        await run(loaded, { mmtok: { budget: budgets[0] } }),
        answerOf(
          await generate(loaded.model, { ...other, max_new_tokens: COUNT, mmtok: { budget: budgets[1] } }),
          isEncoder ? 1 : (other.input_ids?.dims[1] as number),
        ),
      ];
      const batch = padded([inputs, other], isEncoder ? 'right' : 'left');
      const sequences = await generate(loaded.model, {
        ...batch,
        max_new_tokens: COUNT,
        mmtok: { budget: budgets },
      });
      const width = isEncoder ? 1 : (batch.input_ids?.dims[1] as number);
      expect([answerOf(sequences, width, 0), answerOf(sequences, width, 1)]).toEqual(single);
      expect(handle?.lastReport?.images.map((image) => image.keptTokens)).toEqual([few, more]);
      loaded.model.sessions.vision_encoder = encoder;
    },
  );
});
