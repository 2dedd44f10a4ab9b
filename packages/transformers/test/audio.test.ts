// Prompts with both audio and images are not pruned, because only the model's own code merges both.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { prune } from '../src/index.js';
import { answerOf, generate, tokens } from './support/reference.js';
import { buildTinyModel, noiseImage } from './tiny-models/index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(`${tmpdir()}/audio-`);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('are not pruned, and the report says so', async () => {
  const tiny = await buildTinyModel('gemma3n', { directory });
  const { model, processor, inputs, dispose } = await tiny.load();
  const prompt = await inputs('what is in the image ?', [noiseImage(tiny.imageSize)]);
  const { audio_token_id } = model.config as unknown as { audio_token_id: number };
  const ids = [...Array.from((prompt.input_ids as Tensor).data as BigInt64Array), BigInt(audio_token_id)];
  const heard = {
    ...prompt,
    input_ids: tokens(ids),
    attention_mask: tokens(ids.map(() => 1)),
    input_features: new Tensor('float32', new Float32Array(8).fill(0.5), [1, 1, 8]),
    input_features_mask: new Tensor('bool', new Uint8Array([1]), [1, 1]),
    max_new_tokens: 4,
  };
  const baseline = answerOf(await generate(model, heard), ids.length);
  const handle = prune(model, {
    processor,
    backend: createReferenceBackend(),
    budget: { tokens: 2 },
    minVisionTokens: 1,
  });
  expect(answerOf(await generate(model, heard), ids.length)).toEqual(baseline);
  expect(handle.lastReport?.reason).toBe('hasAudio');
  await generate(model, { ...prompt, max_new_tokens: 1 });
  expect(handle.lastReport?.reason).toBe('pruned');
  await dispose();
});
