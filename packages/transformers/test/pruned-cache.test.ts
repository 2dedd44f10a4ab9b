// A cache of a pruned conversation: what may be passed with it, what is rejected, and how it is recognized.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BaseStreamer, DynamicCache, type Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PromptMismatchError, type PruneHandle, prune } from '../src/index.js';
import { answerOf, generate, tokens } from './support/reference.js';
import { buildTinyModel, type LoadedTinyModel, type ModelInputs, noiseImage } from './tiny-models/index.js';

const COUNT = 4;

describe('a pruned cache', () => {
  let directory: string;
  let loaded: LoadedTinyModel;
  let inputs: ModelInputs;
  let handle: PruneHandle;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cache-'));
    const tiny = await buildTinyModel('llava', { directory });
    loaded = await tiny.load();
    inputs = await loaded.inputs('is the cat red ?', [noiseImage(tiny.imageSize)]);
    attach();
  });
  afterAll(async () => {
    handle.restore();
    await loaded.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  const attach = (): void => {
    handle = prune(loaded.model, {
      processor: loaded.processor,
      backend: createReferenceBackend(),
      budget: { tokens: 4 },
      minVisionTokens: 1,
    });
  };
  /** The answer from a cache to what is passed with it. */
  const answer = async (
    given: { readonly input_ids: Tensor; readonly attention_mask?: Tensor },
    past_key_values: object,
  ): Promise<number[]> => {
    const sequences = await generate(loaded.model, { ...given, past_key_values, max_new_tokens: 3 });
    return answerOf(sequences, given.input_ids.dims[1] as number);
  };
  /** The answer from a cache to the conversation so far and additional ids. */
  const goOn = async (
    said: readonly bigint[],
    past_key_values: object,
    more: readonly bigint[] = [20n, 21n],
  ): Promise<number[]> => {
    const whole = [...said, ...more];
    const given = { input_ids: tokens(whole), attention_mask: tokens(whole.map(() => 1)) };
    return await answer(given, past_key_values);
  };

  const first = async (): Promise<{ sequences: Tensor; past_key_values: object }> =>
    (await generate(loaded.model, { ...inputs, max_new_tokens: COUNT, return_dict_in_generate: true })) as {
      sequences: Tensor;
      past_key_values: object;
    };

  // Upstream processes the whole prompt again here: without a mask, it takes all ids for new ones.
  it('does not need an attention mask', async () => {
    const results: unknown[] = [];
    for (const withMask of [true, false]) {
      const { sequences, past_key_values } = await first();
      const input_ids = tokens([...(sequences.data as BigInt64Array), 20n, 21n]);
      const attention_mask = tokens(Array.from({ length: input_ids.dims[1] as number }, () => 1));
      results.push(await answer({ input_ids, ...(withMask && { attention_mask }) }, past_key_values));
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('accepts only the new tokens, with the full mask or none', async () => {
    const results: unknown[] = [];
    for (const form of ['whole', 'new', 'new with mask'] as const) {
      const { sequences, past_key_values } = await first();
      const said = Array.from(sequences.data as BigInt64Array);
      const whole = [...said, 20n, 21n];
      const input_ids = form === 'whole' ? tokens(whole) : tokens(whole.slice(said.length - 1));
      const attention_mask = form === 'new with mask' ? tokens(whole.map(() => 1)) : undefined;
      results.push(await answer({ input_ids, ...(attention_mask && { attention_mask }) }, past_key_values));
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('accepts only new tokens that outnumber the conversation, if the mask identifies them', async () => {
    const more = Array.from({ length: 40 }, (_, at) => BigInt(20 + (at % 30)));
    const { sequences, past_key_values } = await first();
    const said = Array.from(sequences.data as BigInt64Array);
    const expected = await goOn(said, past_key_values, more);
    const { past_key_values: another } = await first();
    const input_ids = tokens([...said.slice(-1), ...more]);
    const attention_mask = tokens([...said, ...more].map(() => 1));
    const answer = await generate(loaded.model, {
      input_ids,
      attention_mask,
      past_key_values: another,
      max_new_tokens: 3,
    });
    expect(answerOf(answer, input_ids.dims[1] as number)).toEqual(expected);
  });

  it('is recognized after a call that failed midway, under another handle, and as a copy', async () => {
    const { sequences, past_key_values } = await first();
    const said = Array.from(sequences.data as BigInt64Array);
    const copy = new DynamicCache({ ...(past_key_values as Record<string, Tensor>) });
    const expected = await goOn(said, past_key_values);
    expect(await goOn(said, copy)).toEqual(expected);

    const { past_key_values: older } = await first();
    handle.restore();
    attach();
    expect(await goOn(said, older)).toEqual(expected);

    let steps = 0;
    class Leaving extends BaseStreamer {
      override put(): void {
        if (++steps === 4) throw new Error('the client has left');
      }
      override end(): void {}
    }
    const cut = new DynamicCache();
    const options = { past_key_values: cut, max_new_tokens: 10, streamer: new Leaving() };
    await expect(generate(loaded.model, { ...inputs, ...options })).rejects.toThrow('has left');
    expect(cut.get_seq_length()).toBeGreaterThan(0);
    expect(await goOn(said, cut)).toEqual(expected);
  });

  it('is not recognized after it was emptied and filled again', async () => {
    const { past_key_values } = await first();
    for (const name of Object.keys(past_key_values)) Reflect.deleteProperty(past_key_values, name);
    const input_ids = tokens([20, 21, 22, 23]);
    const attention_mask = tokens([1, 1, 1, 1]);
    const fill = async (cache: object): Promise<Tensor> =>
      (await generate(loaded.model, {
        input_ids,
        attention_mask,
        past_key_values: cache,
        max_new_tokens: 2,
      })) as Tensor;
    const fresh = new DynamicCache();
    const said = Array.from((await fill(fresh)).data as BigInt64Array);
    await fill(past_key_values);
    expect(await goOn(said, past_key_values)).toEqual(await goOn(said, fresh));
  });

  describe("with followUps: 'reselect'", () => {
    const mmtok = { followUps: 'reselect' };
    const begun = async (turns: object): Promise<{ cache: DynamicCache; said: bigint[] }> => {
      const cache = new DynamicCache();
      const options = { past_key_values: cache, max_new_tokens: COUNT, mmtok: turns };
      const sequences = (await generate(loaded.model, { ...inputs, ...options })) as Tensor;
      return { cache, said: Array.from(sequences.data as BigInt64Array) };
    };

    it.each([
      ['new tokens alone', mmtok, (said: bigint[]) => ({ input_ids: tokens([...said.slice(-1), 20n]) })],
      [
        'new tokens under the full mask',
        mmtok,
        (said: bigint[]) => ({
          input_ids: tokens([...said.slice(-1), 20n]),
          attention_mask: tokens([...said, 20n].map(() => 1)),
        }),
      ],
      [
        'a conversation without its image',
        mmtok,
        (said: bigint[]) => ({ input_ids: tokens([...said, 20n].map(() => 20n)) }),
      ],
      [
        'no pixels after a turn that did not keep its images',
        {},
        (said: bigint[]) => ({ input_ids: tokens([...said, 20n]) }),
      ],
      [
        'an image that the kept one does not fit',
        mmtok,
        (said: bigint[]) => ({ input_ids: tokens([...said, ...said]) }),
      ],
    ])('leaves the cache alone where it is given %s', async (_, turns, given) => {
      const { cache, said } = await begun(turns);
      const before = { ...cache };
      const call = generate(loaded.model, {
        ...given(said),
        past_key_values: cache,
        max_new_tokens: 2,
        mmtok,
      });
      await expect(call).rejects.toBeInstanceOf(PromptMismatchError);
      expect(Object.keys(cache)).toEqual(Object.keys(before));
      for (const [key, tensor] of Object.entries(before))
        expect(Object.is(cache[key as never], tensor), key).toBe(true);
      expect(await goOn(said, cache)).toHaveLength(3);
      expect(handle.lastReport?.reason).toBe('cached');
    });

    it('keeps all of an image without pixels if pruning does not pay off', async () => {
      const { cache, said } = await begun(mmtok);
      const options = { past_key_values: cache, max_new_tokens: 6, mmtok: { ...mmtok, minVisionTokens: 99 } };
      const input_ids = tokens([...said, 20n]);
      const attention_mask = tokens([...said, 20n].map(() => 1));
      const whole = { ...inputs, input_ids, attention_mask, max_new_tokens: 6 };
      const answer = await generate(loaded.model, { ...whole, mmtok: false });
      const again = await generate(loaded.model, { input_ids, ...options });
      expect(handle.lastReport).toMatchObject({ reason: 'belowMinVisionTokens', keptTokens: 16 });
      expect(answerOf(again, said.length + 1)).toEqual(answerOf(answer, said.length + 1));
    });

    it('accepts a conversation whose end was removed', async () => {
      const { cache } = await begun(mmtok);
      const { input_ids, attention_mask } = inputs;
      const options = { input_ids, attention_mask, max_new_tokens: COUNT, mmtok };
      const again = await generate(loaded.model, { ...options, past_key_values: cache });
      expect(handle.lastReport?.reason).toBe('pruned');
      const anew = await generate(loaded.model, { ...inputs, ...options });
      expect(answerOf(again, 0)).toEqual(answerOf(anew, 0));
    });

    it('frees the tensors of a dropped cache', async () => {
      const { cache, said } = await begun(mmtok);
      const dropped = Object.values(cache) as Tensor[];
      for (const tensor of dropped) {
        Object.defineProperty(tensor, 'location', { value: 'gpu-buffer' });
        tensor.dispose = vi.fn();
      }
      const input_ids = tokens([...said, 20n]);
      await generate(loaded.model, { input_ids, past_key_values: cache, max_new_tokens: 2, mmtok });
      for (const { dispose } of dropped) expect(dispose).toHaveBeenCalledTimes(1);
    });
  });

  it('rejects a mask of another conversation', async () => {
    const { sequences, past_key_values } = await first();
    const input_ids = tokens([...(sequences.data as BigInt64Array), 20n, 21n]);
    const attention_mask = tokens([1, 1, 1]);
    const call = generate(loaded.model, { input_ids, attention_mask, past_key_values, max_new_tokens: 3 });
    await expect(call).rejects.toBeInstanceOf(PromptMismatchError);
  });

  it('can be continued by an unpruned call', async () => {
    const answers: unknown[] = [];
    for (const mmtok of [undefined, false]) {
      const { sequences, past_key_values } = await first();
      const input_ids = tokens([...(sequences.data as BigInt64Array), 20n, 21n]);
      const options = { input_ids, past_key_values, max_new_tokens: 3, ...(mmtok === false && { mmtok }) };
      answers.push(answerOf(await generate(loaded.model, options), input_ids.dims[1] as number));
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(handle.lastReport?.reason).toBe('disabled');
  });

  it('continues with another image', async () => {
    const { sequences, past_key_values } = await first();
    const other = await loaded.inputs('and here ?', [noiseImage({ width: 64, height: 64 }, 5)]);
    const more = Array.from((other.input_ids as Tensor).data as BigInt64Array);
    const ids = [...(sequences.data as BigInt64Array), ...more];
    const input_ids = tokens(ids);
    const attention_mask = tokens(ids.map(() => 1));
    await generate(loaded.model, {
      input_ids,
      attention_mask,
      pixel_values: other.pixel_values,
      past_key_values,
      max_new_tokens: 3,
    });
    expect(handle.lastReport).toMatchObject({ reason: 'pruned', keptTokens: 4 });
  });

  it('counts toward the context limit of later images', async () => {
    const { sequences, past_key_values } = await first();
    const other = await loaded.inputs('and here ?', [noiseImage({ width: 64, height: 64 }, 5)]);
    const more = Array.from((other.input_ids as Tensor).data as BigInt64Array);
    const ids = [...(sequences.data as BigInt64Array), ...more];
    const whole = { ...other, input_ids: tokens(ids), attention_mask: tokens(ids.map(() => 1)) };
    const { past_key_values: cache } = (await generate(loaded.model, {
      ...whole,
      past_key_values,
      max_new_tokens: 1,
      return_dict_in_generate: true,
      mmtok: { budget: { fitContext: 36 } },
    })) as { past_key_values: DynamicCache };
    expect(cache.get_seq_length()).toBe(36);
  });
});
