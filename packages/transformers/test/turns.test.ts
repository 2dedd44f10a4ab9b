// Several turns about one image: from the pruned cache, or selected again for each question.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamicCache, type Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PruneHandle, type PruneOptions, prune } from '../src/index.js';
import { answerOf, extended, generate, referenceTokens, tokens } from './support/reference.js';
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
  directory = await mkdtemp(join(tmpdir(), 'turns-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each(['llava', 'smolvlm', 'qwen2_5_vl', 'gemma3n', 'lfm2_vl'] as FamilyName[])('%s', (name) => {
  let tiny: TinyModel;
  let loaded: LoadedTinyModel;
  let pristine: LoadedTinyModel;
  let inputs: ModelInputs;
  let handle: PruneHandle;

  beforeAll(async () => {
    tiny = await buildTinyModel(name, { directory });
    loaded = await tiny.load();
    pristine = await tiny.load();
    inputs = await loaded.inputs('is the cat red ?', [noiseImage(tiny.imageSize)]);
  });
  afterEach(() => handle.restore());
  afterAll(async () => {
    await loaded.dispose();
    await pristine.dispose();
  });

  const attach = (options: Partial<PruneOptions>): void => {
    handle = prune(loaded.model, {
      processor: loaded.processor,
      backend: createReferenceBackend(),
      budget: { tokens: 4 },
      minVisionTokens: 1,
      ...options,
    });
  };
  const width = (of: ModelInputs): number => of.input_ids?.dims[1] as number;
  /** The conversation so far, and another question. */
  const ask = (before: ModelInputs, sequences: Tensor, question: string): ModelInputs => {
    const said = Array.from(sequences.data as BigInt64Array).slice(width(before));
    const { input_ids } = loaded.tokenizer(` user : ${question} assistant : `, { add_special_tokens: false });
    return extended(before, [...said, ...(input_ids.data as BigInt64Array)]);
  };
  const answer = async (
    prompt: ModelInputs,
    more: Record<string, unknown>,
  ): Promise<{ sequences: Tensor; past_key_values: object }> =>
    (await generate(loaded.model, {
      ...prompt,
      max_new_tokens: COUNT,
      return_dict_in_generate: true,
      ...more,
    })) as { sequences: Tensor; past_key_values: object };
  const expected = (prompt: ModelInputs, kept: readonly number[]): Promise<number[]> =>
    referenceTokens({
      tiny,
      pristine,
      inputs: prompt,
      kept,
      compact: tiny.positions === 'internal',
      count: COUNT,
    });
  const pixelless = ({
    pixel_values: _,
    pixel_attention_mask: __,
    spatial_shapes: ___,
    ...rest
  }: ModelInputs): ModelInputs => rest;

  it('keeps the selection of the first question over three turns', async () => {
    attach({});
    const one = await answer(inputs, {});
    const kept = handle.lastReport?.images[0]?.indices ?? [];
    const second = ask(inputs, one.sequences, 'where is the green tree ?');
    const { past_key_values } = one;
    const two = await answer(second, { past_key_values });
    expect(handle.lastReport).toMatchObject({ reason: 'cached', keptTokens: 0 });
    expect(answerOf(two.sequences, width(second))).toEqual(await expected(second, kept));
    const third = ask(second, two.sequences, 'how many ?');
    const three = await answer(pixelless(third), { past_key_values });
    expect(answerOf(three.sequences, width(third))).toEqual(await expected(third, kept));
  });

  it('continues with another image, given its pixels or those of all images', async ({ skip }) => {
    skip(!tiny.severalImages, 'one image per prompt');
    attach({ budget: { tokens: 3 } });
    const images = [noiseImage(tiny.imageSize), noiseImage(tiny.imageSize, 5)];
    const more = await loaded.inputs('and here ?', images.slice(1));
    const both = await loaded.inputs('is the cat red ?', images);
    const results: unknown[] = [];
    for (const pixels of [more, both]) {
      const one = await answer(inputs, {});
      const ids = [
        ...(one.sequences.data as BigInt64Array),
        ...Array.from((more.input_ids as Tensor).data as BigInt64Array),
      ];
      const two = await answer(
        { ...pixels, input_ids: tokens(ids), attention_mask: tokens(ids.map(() => 1)) },
        { past_key_values: one.past_key_values },
      );
      expect(handle.lastReport).toMatchObject({ reason: 'pruned', keptTokens: 3 });
      results.push([answerOf(two.sequences, ids.length), handle.lastReport?.images[0]?.indices]);
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('selects again for each of three questions, and encodes the image once', async () => {
    attach({ followUps: 'reselect' });
    const past_key_values = new DynamicCache();
    let runs = 0;
    const session = loaded.model.sessions.vision_encoder;
    const run = session.run;
    session.run = (feeds: unknown) => {
      runs++;
      return run.call(session, feeds);
    };
    const one = await answer(inputs, { past_key_values });
    const first = handle.lastReport?.images[0]?.indices ?? [];
    expect(answerOf(one.sequences, width(inputs))).toEqual(await expected(inputs, first));

    const second = ask(inputs, one.sequences, 'where is the green dog ?');
    const two = await answer(second, { past_key_values });
    const again = handle.lastReport;
    expect(again?.prompts[0]?.question?.words).toEqual(['green', 'dog']);
    expect(again?.timings.encodeMs).toBe(0);
    expect(answerOf(two.sequences, width(second))).toEqual(
      await expected(second, again?.images[0]?.indices ?? []),
    );

    const third = ask(second, two.sequences, 'how many ?');
    const three = await answer(pixelless(third), { past_key_values });
    const last = handle.lastReport;
    expect(last?.reason).toBe('pruned');
    expect(answerOf(three.sequences, width(third))).toEqual(
      await expected(third, last?.images[0]?.indices ?? []),
    );
    session.run = run;
    expect(runs).toBe(1);
  });
});
