// Servers from a model's name, in front of a vLLM server and without one.

import { readFileSync } from 'node:fs';
import { modelPath, smallModelPath } from '@mmtok/tiny-vlm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningServer, ServeStartError, serveModel } from '../src/index.js';
import { type FakeVllm, startFakeVllm } from './support/fake-vllm.js';
import { imageAnd } from './support/fakes.js';
import { dataUri } from './support/image-files.js';

let upstream: FakeVllm;
let server: RunningServer | undefined;
beforeEach(async () => {
  upstream = await startFakeVllm();
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await upstream.close();
});

const url = dataUri(readFileSync(new URL('../../tiny-vlm/samples/0.png', import.meta.url)));
const quiet = { port: 0, log: () => undefined };
const ask = async (model: string): Promise<{ mmtok: object; usage: object }> => {
  const response = await fetch(`${server?.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: imageAnd('what is this ?', url) }] }),
  });
  return (await response.json()) as { mmtok: object; usage: object };
};

test('in front of vLLM, runs the probe and sends rows of the real encoder', async () => {
  server = await serveModel({
    ...quiet,
    model: modelPath,
    budget: { tokens: 40 },
    upstream: { url: upstream.url, model: 'tiny' },
  });
  expect(await ask('tiny')).toMatchObject({
    mmtok: { visionTokens: 576, keptTokens: 40 },
    usage: { prompt_tokens: 3 + 4 + 40 },
  });
  expect(upstream.violations).toEqual([]);
});

test('detects an encoder of another model than the served one', async () => {
  const other = { ...quiet, model: smallModelPath, upstream: { url: upstream.url, model: 'tiny' } };
  await expect(serveModel(other)).rejects.toMatchObject({
    name: ServeStartError.name,
    kind: 'data',
  });
});

test('rejects positions that vLLM cannot keep, as a usage error', async () => {
  const upstreamOptions = { url: upstream.url, model: 'tiny' };
  const preserving = {
    ...quiet,
    model: modelPath,
    upstream: upstreamOptions,
    pruning: { positions: 'preserve' },
  } as const;
  await expect(serveModel(preserving)).rejects.toMatchObject({
    kind: 'usage',
    message: expect.stringContaining("'preserve'"),
  });
});

test('serves a local model', async () => {
  server = await serveModel({
    ...quiet,
    model: smallModelPath,
    servedName: 'small',
    budget: { ratio: 0.25 },
  });
  expect(await ask('small')).toMatchObject({ mmtok: { visionTokens: 64, keptTokens: 16 } });
});
