// Rows with a grid through a real vLLM server: what is rejected, and what `grid: 'line'` does.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  createVllmEngine,
  imageEmbedsPart,
  ServeStartError,
  startServer,
  type VisionSelector,
} from '../../src/index.js';
import { imageAnd } from '../support/fakes.js';
import { client, common, type Expected, fileOf, type Reply, readReference, seen } from './real-vllm.js';

const { question, hiddenSize, visionTokens, kept, line } = readReference<{
  question: string;
  hiddenSize: number;
  visionTokens: number;
  kept: number;
  line: Expected;
}>();
const file = readFileSync(fileOf('rows.bin'));
const data = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
const rows = { data, dims: [kept, hiddenSize] };

/** Returns the rows that PyTorch got. */
const selector: VisionSelector = {
  modelId: 'tiny',
  family: 'qwen2_vl',
  hiddenSize,
  route: { part: 'image_embeds', merge: 2 },
  select: async (images) => ({
    reason: 'pruned',
    images: images.map(() => ({ rows, visionTokens, keptTokens: kept })),
    timings: { encodeMs: 0, selectMs: 0 },
  }),
  dispose: async () => undefined,
};

test("is rejected without grid: 'line'", async () => {
  await expect(createVllmEngine({ client, selector })).rejects.toBeInstanceOf(ServeStartError);
});

test("grid: 'line' places the rows on a line, and the answer is PyTorch's for such rows", async () => {
  const engine = await createVllmEngine({
    client,
    selector,
    grid: 'line',
    // With bfloat16's rounding, the last tokens change.
    dtype: 'float16',
    probe: 'off',
  });
  const server = await startServer({ engine, port: 0, log: () => undefined });
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...common, messages: [{ role: 'user', content: imageAnd(question) }] }),
  });
  expect(seen((await response.json()) as Reply)).toEqual(line);
  await server.close();
});

test('a wrong grid is never sent, so vLLM keeps running', async () => {
  expect(() => imageEmbedsPart(rows, { grid: [1, 24, 32] })).toThrow(/does not hold/);
  expect(await client.isHealthy()).toBe(true);
});
