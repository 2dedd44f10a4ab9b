// Prompts with sounds beside images are left to the model's own path, which merges both.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { prune } from '../src/index.js';
import { generate } from './support/reference.js';
import { buildTinyModel, noiseImage } from './tiny-models/index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(`${tmpdir()}/audio-`);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('is processed whole, and the report says so', async () => {
  const tiny = await buildTinyModel('gemma3n', { directory });
  const { model, processor, inputs, dispose } = await tiny.load();
  const handle = prune(model, {
    processor,
    backend: createReferenceBackend(),
    budget: { tokens: 2 },
    minVisionTokens: 1,
  });
  const prompt = await inputs('what is in the image ?', [noiseImage(tiny.imageSize)]);
  const sounds = {
    input_features: new Tensor('float32', new Float32Array(8), [1, 1, 8]),
    input_features_mask: new Tensor('bool', new Uint8Array([1]), [1, 1]),
  };
  // The tiny prompt has no place for sounds, at which the model's own merge stumbles: it has been reached.
  const call = generate(model, { ...prompt, ...sounds, max_new_tokens: 1 });
  await call.catch((error: unknown) => expect(String(error)).not.toMatch(/mmtok/i));
  await generate(model, { ...prompt, max_new_tokens: 1 });
  expect(handle.lastSelection?.reason).toBe('pruned');
  await dispose();
});
