// createVllmClient used directly, without a server of this package.

import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { createVllmClient, imageEmbedsPart, UpstreamError } from '../src/index.js';
import { HIDDEN, llava, QUESTION } from './support/fake-vllm.js';
import { useVllmServers } from './support/vllm-server.js';

const servers = useVllmServers();

describe('createVllmClient', () => {
  const rows = { data: new Float32Array(57 * HIDDEN).fill(0.5), dims: [57, HIDDEN] };
  const messages = [{ role: 'user', content: [imageEmbedsPart(rows), { type: 'text', text: QUESTION }] }];

  test('asks and streams', async () => {
    const client = createVllmClient({ baseUrl: servers.upstream.url, model: 'tiny' });
    const reply = await client.chat({ messages });
    expect(reply).toMatchObject({
      usage: { prompt_tokens: 66 },
      choices: [{ message: { content: llava.c?.text } }],
    });
    let text = '';
    for await (const chunk of client.stream({ messages })) {
      text += (chunk as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(llava.c?.text);
    expect([await client.models(), await client.isHealthy()]).toEqual([['tiny'], true]);
  });

  test('fails with the status and the text of the server', async () => {
    const client = createVllmClient({ baseUrl: servers.upstream.url, model: 'tiny' });
    const bad = [{ role: 'user', content: [{ type: 'image_embeds', image_embeds: '!' }] }];
    await expect(client.chat({ messages: bad })).rejects.toMatchObject({
      status: 400,
      body: expect.stringContaining('base64'),
    });
    servers.upstream.fail('error');
    await expect(client.stream({ messages }).next()).rejects.toBeInstanceOf(UpstreamError);
    servers.upstream.fail('cut');
    await expect(async () => {
      for await (const _ of client.stream({ messages }));
    }).rejects.toThrow();
  });

  test('parts work with the openai package, too', async () => {
    const openai = new OpenAI({ baseURL: `${servers.upstream.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const reply = await openai.chat.completions.create({ model: 'tiny', messages: messages as never });
    expect(reply.choices[0]?.message.content).toBe(llava.c?.text);
  });
});
