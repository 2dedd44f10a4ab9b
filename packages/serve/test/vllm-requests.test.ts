// What the engine `vllm` sends to a fake that reads rows as vLLM does and replays its recorded answers.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, streamText, type ToolSet } from 'ai';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { createVllmClient } from '../src/index.js';
import { createPromptCheck } from '../src/request/prompt-check.js';
import { HIDDEN, llava, QUESTION, streamOf } from './support/fake-vllm.js';
import { createFakeSelector, imageAnd, PIXEL } from './support/fakes.js';
import { ask, chat, read, useVllmServers } from './support/vllm-server.js';

const servers = useVllmServers();

describe('a request', () => {
  test('with 57 rows gets the recorded answer and usage, and what pruning did', async () => {
    const response = await ask(await servers.start());
    const body = await read(response);
    expect(body.choices[0].message.content).toBe(llava.c?.text);
    expect(body.usage.prompt_tokens).toBe(llava.c?.usage?.prompt_tokens);
    expect(body.mmtok).toMatchObject({ visionTokens: 576, keptTokens: 57, coverage: { text: 0.91 } });
    expect(response.headers.get('x-mmtok')).toContain('vision-tokens=576, kept-tokens=57');
    expect(body.id).toBe('chatcmpl-upstream');
  });

  test('with all rows gets the recorded answer to the image', async () => {
    const url = await servers.start();
    const all = await read(ask(url, { ...chat(), mmtok: { keep: 576 } }));
    const image = await read(ask(url, { ...chat(), mmtok: false }));
    expect(all.choices).toEqual(image.choices);
    expect(all.usage.prompt_tokens).toBe(585);
    expect(image.mmtok).toBeUndefined();
    expect(JSON.stringify(servers.lastBody())).toContain(PIXEL);
  });

  test('two images become two parts, each in its place', async () => {
    const url = await servers.start();
    const content = [...imageAnd('between'), ...imageAnd(QUESTION)];
    const body = await read(ask(url, chat(content)));
    expect(body.mmtok?.images).toHaveLength(2);
    const [{ content: parts }] = servers.lastBody().messages as [{ content: { type: string }[] }];
    expect(parts.map(({ type }) => type)).toEqual(['image_embeds', 'text', 'image_embeds', 'text']);
  });

  test('all fields pass through except mmtok', async () => {
    const url = await servers.start();
    const extra = {
      temperature: 0.3,
      top_p: 0.9,
      seed: 5,
      tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      structured_outputs: { json: {} },
      user: 'someone',
    };
    await ask(url, { ...chat('just text'), ...extra, mmtok: { keep: 5 } });
    expect(servers.lastBody()).toEqual({ ...chat('just text'), ...extra });
    expect(servers.selector.calls).toBe(0);
  });

  test('streams byte for byte, and records the usage', async () => {
    const url = await servers.start();
    const options = { stream: true, stream_options: { include_usage: true } };
    const response = await ask(url, { ...chat(), ...options });
    expect(response.headers.get('x-mmtok')).toContain('kept-tokens=57');
    const answer = { text: llava.c?.text ?? '', promptTokens: 66 };
    expect(await response.text()).toBe(streamOf({ model: 'tiny', ...options }, answer));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('mmtok_tokens_total{kind="prompt"} 66');
  });

  test('streams to the openai package', async () => {
    const openai = new OpenAI({ baseURL: `${await servers.start()}/v1`, apiKey: 'none', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: imageAnd(QUESTION) }];
    let text = '';
    for await (const chunk of await openai.chat.completions.create({
      model: 'tiny',
      messages,
      stream: true,
    })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(llava.c?.text);
  });

  test('a conversation of the openai package with tools and images in several turns stays as it is', async () => {
    const openai = new OpenAI({ baseURL: `${await servers.start()}/v1`, apiKey: 'none', maxRetries: 0 });
    const call = { id: '1', type: 'function' as const, function: { name: 'zoom', arguments: '{"by":2}' } };
    const rest = {
      n: 2,
      logprobs: true,
      top_logprobs: 2,
      stop: ['\n', '.'],
      max_completion_tokens: 9,
      temperature: 0,
    };
    await openai.chat.completions.create({
      model: 'tiny',
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: imageAnd('what is this') },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: '1', content: [{ type: 'text', text: 'zoomed' }] },
        { role: 'assistant', content: 'a cat' },
        { role: 'user', content: imageAnd(QUESTION) },
      ],
      ...rest,
    });
    expect(servers.lastBody()).toMatchObject(rest);
    const messages = servers.lastBody().messages as {
      role: string;
      content: unknown;
      tool_calls?: unknown;
    }[];
    expect(messages.map(({ role }) => role).join()).toBe('system,user,assistant,tool,assistant,user');
    expect(messages[2]?.tool_calls).toEqual([call]);
    for (const turn of [1, 5]) {
      expect(messages[turn]?.content).toMatchObject([{ type: 'image_embeds' }, { type: 'text' }]);
    }
  });

  test('the AI SDK asks and streams, with a system message and tools', async () => {
    const provider = createOpenAICompatible({
      name: 'mmtok',
      baseURL: `${await servers.start()}/v1`,
      includeUsage: true,
    });
    const image = { type: 'image' as const, image: PIXEL };
    const request = {
      model: provider('tiny'),
      system: 'be brief',
      messages: [{ role: 'user' as const, content: [image, { type: 'text' as const, text: QUESTION }] }],
      tools: { zoom: { inputSchema: jsonSchema({ type: 'object', properties: {} }) } } as ToolSet,
    };
    const { text, usage } = await generateText(request);
    expect(text).toBe(llava.c?.text);
    expect(usage.inputTokens).toBe(66);
    expect(servers.lastBody().tools).toMatchObject([{ function: { name: 'zoom' } }]);
    const stream = streamText(request);
    let streamed = '';
    for await (const piece of stream.textStream) streamed += piece;
    expect(streamed).toBe(text);
    expect((await stream.usage).inputTokens).toBe(66);
  });

  test("the upstream key is this server's, not the client's", async () => {
    await servers.restartUpstream({ apiKey: 'upstream-key' });
    const client = createVllmClient({
      baseUrl: `${servers.upstream.url}/v1/`,
      model: 'tiny',
      apiKey: 'upstream-key',
    });
    const url = await servers.start({ client });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer of-the-client' };
    expect((await ask(url, chat(), { headers })).status).toBe(200);
    expect(servers.upstream.requests[0]?.headers.authorization).toBe('Bearer upstream-key');
  });
});

describe('texts that must not be sent are rejected by this server', () => {
  const tokenizer = { encode: (text: string) => [...text].map(Number), decode: () => '<image>' };
  const config = { image_token_index: 32_000, max_position_embeddings: 100 };
  test.each([
    ['in an earlier turn', { messages: [{ role: 'assistant', content: '<image>' }, ...chat('x').messages] }],
    ['without an image', chat('<image>')],
    ['beside an image that is sent whole', { ...chat(imageAnd('<image>')), mmtok: false }],
    ['in a tool', { ...chat('x'), tools: [{ type: 'function', function: { name: '<image>' } }] }],
    [
      'in a call of a tool',
      {
        messages: [
          { role: 'assistant', tool_calls: [{ id: '1', function: { name: 'f', arguments: '"<image>"' } }] },
          ...chat('x').messages,
        ],
      },
    ],
    ['longer than the context', chat(imageAnd('x'.repeat(101)))],
  ])('a placeholder or too much text %s', async (_, body) => {
    servers.selector = Object.assign(createFakeSelector(), {
      checkPrompt: createPromptCheck({ config, tokenizer }),
    });
    const url = await servers.start();
    const response = await ask(url, { model: 'tiny', ...body });
    expect(response.status).toBe(400);
    expect(servers.upstream.requests).toEqual([]);
    expect(servers.selector.calls).toBe(0);
    expect((await ask(url)).status).toBe(200);
  });
});

describe('rows that must not be sent are rejected by this server', () => {
  test.each([
    ['NaN', (data: Float32Array) => data.fill(Number.NaN), [57, HIDDEN]],
    ['no rows', () => new Float32Array(0), [0, HIDDEN]],
    ['another hidden size', (data: Float32Array) => data, [114, HIDDEN / 2]],
  ])('%s', async (_, change, dims) => {
    const url = await servers.start();
    servers.selector.spoil = (image) => ({ ...image, rows: { data: change(image.rows.data), dims } });
    const response = await ask(url);
    expect(response.status).toBe(500);
    expect((await read(response)).error.code).toBe('MMTOK_INVALID_ROWS');
    expect(servers.upstream.requests).toEqual([]);
    servers.selector.spoil = undefined;
    expect((await ask(url)).status).toBe(200);
  });
});

describe('other routes', () => {
  test('rejects models whose rows need a grid, unless grid is line', async () => {
    await servers.restartUpstream({ family: 'qwen' });
    servers.selector = createFakeSelector({
      route: { part: 'image_embeds', merge: 2 },
      vision: 192,
      kept: 30,
    });
    await expect(servers.start()).rejects.toThrow(/grid: 'line'/);
    const body = await read(ask(await servers.start({ grid: 'line' })));
    expect(body.usage.prompt_tokens).toBe(43);
    expect(servers.upstream.isDead).toBe(false);
  });

  test('rows as a part of the prompt are between the markers of an image', async () => {
    const route = { part: 'prompt_embeds', before: '<|vision_start|>', after: '<|vision_end|>' } as const;
    servers.selector = createFakeSelector({ route, kept: 30 });
    expect((await ask(await servers.start({ dtype: 'float16' }))).status).toBe(200);
    const [{ content }] = servers.lastBody().messages as [{ content: { type: string; text?: string }[] }];
    expect(content.map(({ type, text }) => text ?? type)).toEqual([
      '<|vision_start|>',
      'prompt_embeds',
      '<|vision_end|>',
      QUESTION,
    ]);
  });
});
