// The engine `vllm` against a real vLLM server and PyTorch's answers. Run by run.sh, which starts the server.

import { readFileSync } from 'node:fs';
import { smallModelPath } from '@mmtok/tiny-vlm';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadImages } from '../../src/images/load.js';
import {
  createVisionSelector,
  createVllmEngine,
  imageEmbedsPart,
  promptEmbedsPart,
  type RunningServer,
  ServeStartError,
  serveModel,
  startServer,
  type VisionSelector,
} from '../../src/index.js';
import { imageAnd } from '../support/fakes.js';
import { dataUri } from '../support/image-files.js';
import { client, common, type Expected, fileOf, type Reply, readReference, upstream } from './real-vllm.js';

const { question, keep, visionTokens, whole, kept } = readReference<{
  question: string;
  keep: number[];
  visionTokens: number;
  whole: Expected;
  kept: Expected;
}>();
const url = dataUri(readFileSync(fileOf('image.png')));
const request = { ...common, messages: [{ role: 'user' as const, content: imageAnd(question, url) }] };

let selector: VisionSelector;
let server: RunningServer;
let openai: OpenAI;
const ask = async (extra: object = {}): Promise<Reply> =>
  (await openai.chat.completions.create({ ...request, ...extra } as never)) as unknown as Reply;

beforeAll(async () => {
  // Keeps the rows that PyTorch got. The encoder is the checkpoint's, exported to ONNX.
  const select = async () => keep;
  selector = await createVisionSelector(fileOf('encoder'), {
    budget: { tokens: keep.length },
    selection: { select },
  });
  const engine = await createVllmEngine({ client, selector, probe: 'strict' });
  server = await startServer({ engine, port: 0, log: () => undefined });
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await server?.close();
});

/** The rows of the image: all, or those that PyTorch got. */
async function rowsOf(all: boolean) {
  const signal = new AbortController().signal;
  const bounds = { images: 1, pixels: 1e6, bodyBytes: 1e6, imageFetchMs: 1000 };
  const images = await loadImages([{ url, param: '' }], { bounds, signal });
  const { images: found } = await selector.select(images, request.messages, {
    overrides: all ? false : {},
    signal,
  });
  return found[0]?.rows ?? { data: new Float32Array(), dims: [] };
}

describe('through the server', () => {
  test("the answer to the image is PyTorch's", async () => {
    const reply = await ask({ mmtok: false });
    expect(reply.choices[0].token_ids).toEqual(whole.tokens);
    expect(reply.usage.prompt_tokens).toBe(whole.promptTokens);
  });

  test("the answer to the kept rows is PyTorch's, and usage counts these rows", async () => {
    const reply = await ask();
    expect(reply.mmtok).toMatchObject({ visionTokens, keptTokens: keep.length });
    expect(reply.choices[0].token_ids).toEqual(kept.tokens);
    expect(reply.usage.prompt_tokens).toBe(kept.promptTokens);
  });

  test('streams the same text', async () => {
    const stream = await openai.chat.completions.create({ ...request, stream: true } as never);
    let text = '';
    for await (const chunk of stream as unknown as AsyncIterable<OpenAI.ChatCompletionChunk>) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe((await ask()).choices[0].message.content);
  });

  test('other fields pass through, and errors keep status and text', async () => {
    const reply = await ask({ max_tokens: 3, logprobs: true });
    expect(reply.choices[0].token_ids).toHaveLength(3);
    await expect(ask({ messages: [{ role: 'user', content: 'w1 '.repeat(3000) }] })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('2048'),
    });
  });

  test('sixteen concurrent requests get their own answers', async () => {
    const replies = await Promise.all(
      Array.from({ length: 32 }, (_, index) => ask(index % 2 === 0 ? {} : { mmtok: false })),
    );
    for (const [index, { choices }] of replies.entries()) {
      expect(choices[0].token_ids).toEqual(index % 2 === 0 ? kept.tokens : whole.tokens);
    }
  });
});

describe('parts without the server', () => {
  const reply = async (part: object): Promise<Reply> =>
    (await client.chat({
      ...common,
      messages: [{ role: 'user', content: [part, { type: 'text', text: question }] }],
    })) as unknown as Reply;

  test.each(['bfloat16', 'float16'] as const)('image_embeds in %s', async (dtype) => {
    const { choices, usage } = await reply(imageEmbedsPart(await rowsOf(false), { dtype }));
    expect(choices[0].token_ids).toEqual(kept.tokens);
    expect(usage.prompt_tokens).toBe(kept.promptTokens);
  });

  test('prompt_embeds', async () => {
    const { choices } = await reply(promptEmbedsPart(await rowsOf(false)));
    expect(choices[0].token_ids).toEqual(kept.tokens);
  });
});

test('a text with a placeholder is rejected by this server, and vLLM keeps running', async () => {
  const messages = [{ role: 'system' as const, content: 'an <image> here' }, ...request.messages];
  await expect(ask({ messages })).rejects.toMatchObject({ status: 400 });
  expect(await client.isHealthy()).toBe(true);
});

test('the startup probe detects an encoder with other weights', async () => {
  const options = { port: 0, log: () => undefined, model: smallModelPath, upstream };
  await expect(serveModel(options)).rejects.toBeInstanceOf(ServeStartError);
});
