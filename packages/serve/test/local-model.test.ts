// The engine `local` with a real model: the embedded one, loaded by createVlm.

import { readFileSync } from 'node:fs';
import { modelPath } from '@mmtok/tiny-vlm';
import { createVlm, type Vlm } from '@mmtok/transformers';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalEngine, type RunningServer, startServer } from '../src/index.js';
import { imageAnd } from './support/fakes.js';
import { dataUri, png } from './support/image-files.js';

let vlm: Vlm;
let server: RunningServer;
let openai: OpenAI;

beforeAll(async () => {
  vlm = await createVlm(modelPath, { keep: 57 });
  server = await startServer({
    engine: createLocalEngine({ model: vlm, servedName: 'tiny-vlm' }),
    port: 0,
    log: () => undefined,
  });
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await server.close();
});

const file = readFileSync(new URL('../../tiny-vlm/samples/0.png', import.meta.url));
const question = 'what shape is the purple object ?';
const request = (text: string, url = dataUri(file)) => ({
  model: 'tiny-vlm',
  messages: [{ role: 'user' as const, content: imageAnd(text, url) }],
});

test('answers as createVlm does, streamed too', async () => {
  const direct = await vlm.ask({ question, image: new Blob([file]) });
  const reply = await openai.chat.completions.create(request(question));
  expect(reply.choices[0]?.message.content?.trim()).toBe(direct.text);
  expect(reply.choices[0]?.finish_reason).toBe('stop');
  expect(reply.usage).toMatchObject({
    prompt_tokens: direct.usage.keptPromptTokens,
    completion_tokens: direct.usage.newTokens,
  });
  expect((reply as unknown as { mmtok: object }).mmtok).toMatchObject({ visionTokens: 576, keptTokens: 57 });
  let text = '';
  for await (const chunk of await openai.chat.completions.create({ ...request(question), stream: true })) {
    text += chunk.choices[0]?.delta.content ?? '';
  }
  expect(text.trim()).toBe(direct.text);
});

test('overrides reach the selection', async () => {
  const ask = async (mmtok: unknown) => {
    const reply = await openai.chat.completions.create({ ...request(question), mmtok } as never);
    return (reply as unknown as { mmtok: { reason: string; keptTokens: number } }).mmtok;
  };
  expect(await ask({ keep: 20 })).toMatchObject({ keptTokens: 20 });
  expect(await ask({ keep: 0.5 })).toMatchObject({ keptTokens: 288 });
  expect(await ask(false)).toMatchObject({ reason: 'disabled', keptTokens: 576 });
});

test('a request that the model cannot answer gets a 4xx', async () => {
  const long = request('what '.repeat(2100));
  await expect(openai.chat.completions.create(long)).rejects.toMatchObject({
    status: 400,
    code: 'MMTOK_LIMIT',
  });
  await expect(openai.chat.completions.create(request('an <image> here'))).rejects.toMatchObject({
    status: 400,
  });
  const broken = request(question, dataUri(png(50, 50).subarray(0, 60)));
  await expect(openai.chat.completions.create(broken)).rejects.toMatchObject({ status: 400 });
  expect((await openai.chat.completions.create(request(question))).choices[0]?.message.content).not.toBe('');
});
