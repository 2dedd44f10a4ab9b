// The server with the engine `vllm`, against a fake that reads rows as vLLM does and replays its recorded answers.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, streamText, type ToolSet } from 'ai';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createVllmClient,
  createVllmEngine,
  imageEmbedsPart,
  type LogEntry,
  type RunningServer,
  ServeStartError,
  startServer,
  UpstreamError,
  UpstreamUnavailableError,
  type VllmEngineOptions,
} from '../src/index.js';
import { createPromptCheck } from '../src/request/prompt-check.js';
import { type FakeVllm, HIDDEN, llava, QUESTION, startFakeVllm, streamOf } from './support/fake-vllm.js';
import { createFakeSelector, type FakeSelector, imageAnd, PIXEL } from './support/fakes.js';

let upstream: FakeVllm;
let server: RunningServer | undefined;
let selector: FakeSelector;
const log: LogEntry[] = [];

beforeEach(async () => {
  upstream = await startFakeVllm();
  selector = createFakeSelector();
  log.length = 0;
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await upstream.close();
  expect(upstream.violations).toEqual([]);
});

async function start(options: Partial<VllmEngineOptions> = {}): Promise<string> {
  const engine = await createVllmEngine({
    client: createVllmClient({ baseUrl: upstream.url, model: 'tiny' }),
    selector,
    probe: 'off',
    retryMs: 50,
    log: (entry) => log.push(entry),
    ...options,
  });
  server = await startServer({ engine, port: 0, log: (entry) => log.push(entry) });
  return server.url;
}

const chat = (content: unknown = imageAnd(QUESTION)) => ({
  model: 'tiny',
  messages: [{ role: 'user', content }],
});
const ask = (url: string, body: object = chat(), init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...init,
  });
/** An answer or an error, as far as tests read it. */
interface Reply {
  readonly id: string;
  readonly choices: readonly [{ readonly message: { readonly content: string } }];
  readonly usage: { readonly prompt_tokens: number };
  readonly mmtok?: { readonly images: readonly unknown[] };
  readonly error: { readonly code: string; readonly message: string };
}
const read = async (response: Response | Promise<Response>): Promise<Reply> =>
  (await (await response).json()) as Reply;
const lastBody = (): Record<string, unknown> => upstream.requests.at(-1)?.body ?? {};

describe('a request', () => {
  test('gets the recorded answer to 57 rows, the recorded usage, and what pruning did', async () => {
    const response = await ask(await start());
    const body = await read(response);
    expect(body.choices[0].message.content).toBe(llava.c?.text);
    expect(body.usage.prompt_tokens).toBe(llava.c?.usage?.prompt_tokens);
    expect(body.mmtok).toMatchObject({ visionTokens: 576, keptTokens: 57, coverage: { text: 0.91 } });
    expect(response.headers.get('x-mmtok')).toContain('vision-tokens=576, kept-tokens=57');
    expect(body.id).toBe('chatcmpl-upstream');
  });

  test('with all rows gets the recorded answer to the image', async () => {
    const url = await start();
    const all = await read(ask(url, { ...chat(), mmtok: { keep: 576 } }));
    const image = await read(ask(url, { ...chat(), mmtok: false }));
    expect(all.choices).toEqual(image.choices);
    expect(all.usage.prompt_tokens).toBe(585);
    expect(image.mmtok).toBeUndefined();
    expect(JSON.stringify(lastBody())).toContain(PIXEL);
  });

  test('two images become two parts in their places', async () => {
    const url = await start();
    const content = [...imageAnd('between'), ...imageAnd(QUESTION)];
    const body = await read(ask(url, chat(content)));
    expect(body.mmtok?.images).toHaveLength(2);
    const [{ content: parts }] = lastBody().messages as [{ content: { type: string }[] }];
    expect(parts.map(({ type }) => type)).toEqual(['image_embeds', 'text', 'image_embeds', 'text']);
  });

  test('everything else passes through, and mmtok stays here', async () => {
    const url = await start();
    const extra = {
      temperature: 0.3,
      top_p: 0.9,
      seed: 5,
      tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      structured_outputs: { json: {} },
      user: 'someone',
    };
    await ask(url, { ...chat('just text'), ...extra, mmtok: { keep: 5 } });
    expect(lastBody()).toEqual({ ...chat('just text'), ...extra });
    expect(selector.calls).toBe(0);
  });

  test('streams byte for byte, and notes the usage', async () => {
    const url = await start();
    const options = { stream: true, stream_options: { include_usage: true } };
    const response = await ask(url, { ...chat(), ...options });
    expect(response.headers.get('x-mmtok')).toContain('kept-tokens=57');
    const answer = { text: llava.c?.text ?? '', promptTokens: 66 };
    expect(await response.text()).toBe(streamOf({ model: 'tiny', ...options }, answer));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('mmtok_tokens_total{kind="prompt"} 66');
  });

  test('streams to the openai package', async () => {
    const openai = new OpenAI({ baseURL: `${await start()}/v1`, apiKey: 'none', maxRetries: 0 });
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

  test('a conversation with tools and images of several turns keeps its form, from the openai package', async () => {
    const openai = new OpenAI({ baseURL: `${await start()}/v1`, apiKey: 'none', maxRetries: 0 });
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
    expect(lastBody()).toMatchObject(rest);
    const messages = lastBody().messages as { role: string; content: unknown; tool_calls?: unknown }[];
    expect(messages.map(({ role }) => role).join()).toBe('system,user,assistant,tool,assistant,user');
    expect(messages[2]?.tool_calls).toEqual([call]);
    for (const turn of [1, 5]) {
      expect(messages[turn]?.content).toMatchObject([{ type: 'image_embeds' }, { type: 'text' }]);
    }
  });

  test('the AI SDK asks and streams, with a system message and tools', async () => {
    const provider = createOpenAICompatible({
      name: 'mmtok',
      baseURL: `${await start()}/v1`,
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
    expect(lastBody().tools).toMatchObject([{ function: { name: 'zoom' } }]);
    const stream = streamText(request);
    let streamed = '';
    for await (const piece of stream.textStream) streamed += piece;
    expect(streamed).toBe(text);
    expect((await stream.usage).inputTokens).toBe(66);
  });

  test("the upstream key is this server's, not the client's", async () => {
    await upstream.close();
    upstream = await startFakeVllm({ apiKey: 'upstream-key' });
    const client = createVllmClient({
      baseUrl: `${upstream.url}/v1/`,
      model: 'tiny',
      apiKey: 'upstream-key',
    });
    const url = await start({ client });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer of-the-client' };
    expect((await ask(url, chat(), { headers })).status).toBe(200);
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer upstream-key');
  });
});

describe('texts that must not be sent end here', () => {
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
    selector = Object.assign(createFakeSelector(), { checkPrompt: createPromptCheck({ config, tokenizer }) });
    const url = await start();
    const response = await ask(url, { model: 'tiny', ...body });
    expect(response.status).toBe(400);
    expect(upstream.requests).toEqual([]);
    expect(selector.calls).toBe(0);
    expect((await ask(url)).status).toBe(200);
  });
});

describe('rows that must not be sent end here', () => {
  test.each([
    ['NaN', (data: Float32Array) => data.fill(Number.NaN), [57, HIDDEN]],
    ['no rows', () => new Float32Array(0), [0, HIDDEN]],
    ['another hidden size', (data: Float32Array) => data, [114, HIDDEN / 2]],
  ])('%s', async (_, change, dims) => {
    const url = await start();
    selector.spoil = (image) => ({ ...image, rows: { data: change(image.rows.data), dims } });
    const response = await ask(url);
    expect(response.status).toBe(500);
    expect((await read(response)).error.code).toBe('MMTOK_INVALID_ROWS');
    expect(upstream.requests).toEqual([]);
    selector.spoil = undefined;
    expect((await ask(url)).status).toBe(200);
  });
});

describe('an upstream server that fails', () => {
  test('its errors keep status and text', async () => {
    const url = await start();
    const content = Array.from({ length: 4 }, () => imageAnd('x')[0]);
    const response = await ask(url, { ...chat(content), mmtok: { keep: 576 } });
    expect(response.status).toBe(400);
    expect((await read(response)).error).toMatchObject({
      type: 'BadRequestError',
      message: expect.stringContaining('maximum context length'),
    });
    upstream.fail('error');
    const failed = await ask(url);
    expect([failed.status, (await read(failed)).error.message]).toEqual([500, 'Internal server error']);
    expect((await ask(url)).status).toBe(200);
  });

  test('a connection that breaks is tried once more', async () => {
    const url = await start();
    upstream.fail('reset');
    expect((await ask(url)).status).toBe(200);
    upstream.fail('reset', 2);
    const response = await ask(url);
    expect([response.status, (await read(response)).error.code]).toEqual([503, 'MMTOK_UPSTREAM_UNAVAILABLE']);
  });

  test('a dead engine opens the circuit: not ready, refused at once, and back when it is back', async () => {
    const url = await start();
    upstream.isDead = true;
    // 503 where the breaker has looked in between.
    expect([500, 503]).toContain((await ask(url)).status);
    const before = upstream.requests.length;
    const refused = await ask(url);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(upstream.requests.length).toBe(before);
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    upstream.isDead = false;
    await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(200);
    expect((await ask(url)).status).toBe(200);
    expect(log.map(({ event }) => event)).toEqual(expect.arrayContaining(['upstream-down', 'upstream-up']));
  });

  test('an engine that dies while nothing is asked is noticed', async () => {
    const url = await start();
    upstream.isDead = true;
    await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(503);
    upstream.isDead = false;
    await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(200);
    expect(upstream.requests).toEqual([]);
  });

  test('a stream that is cut says so', async () => {
    const url = await start();
    upstream.fail('cut');
    const text = await (await ask(url, { ...chat(), stream: true })).text();
    expect(text).toContain('MMTOK_UPSTREAM_UNAVAILABLE');
    expect(text).not.toContain('[DONE]');
    upstream.fail('cut');
    expect((await ask(url)).status).toBe(502);
    expect((await ask(url)).status).toBe(200);
  });

  test.each(['cut', 'cut-after-marker'] as const)(
    'a stream that is cut (%s) ends with an error event, and clients can parse all of it',
    async (fault) => {
      const url = await start();
      upstream.fail(fault);
      const text = await (await ask(url, { ...chat(), stream: true })).text();
      const events = text
        .split('\n\n')
        .filter((event) => event !== '')
        .map((event) => JSON.parse(event.replace(/^data: /, '')) as object);
      expect(events.length).toBeGreaterThan(1);
      expect(events.at(-1)).toMatchObject({ error: { code: 'MMTOK_UPSTREAM_UNAVAILABLE' } });
      const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
      upstream.fail(fault);
      const stream = await openai.chat.completions.create({ ...chat(), stream: true } as never);
      await expect(async () => {
        for await (const _ of stream as unknown as AsyncIterable<unknown>);
      }).rejects.toThrow(/ended its stream early/);
    },
  );

  test("a rejected key is this server's fault, not the client's", async () => {
    const url = await start();
    upstream.fail('reject-key');
    const response = await ask(url);
    expect([response.status, (await read(response)).error.code]).toEqual([502, 'MMTOK_UPSTREAM_UNAVAILABLE']);
    expect((await ask(url)).status).toBe(200);
  });

  test('streams count as running until they end', async () => {
    const url = await start();
    const running = async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return /mmtok_running_requests (\d+)/.exec(metrics)?.[1];
    };
    upstream.fail('hang');
    const gone = new AbortController();
    const response = await ask(url, { ...chat(), stream: true }, { signal: gone.signal });
    expect(await running()).toBe('1');
    gone.abort();
    await expect(response.text()).rejects.toThrow();
    await expect.poll(running).toBe('0');
    await (await ask(url, { ...chat(), stream: true })).text();
    expect(await running()).toBe('0');
  });

  test('a client that goes away takes its upstream request along', async () => {
    const url = await start();
    upstream.fail('slow');
    const gone = new AbortController();
    const lost = ask(url, chat(), { signal: gone.signal });
    await expect.poll(() => upstream.requests.length).toBe(1);
    gone.abort();
    await expect(lost).rejects.toThrow();
    await expect.poll(() => upstream.aborted).toBe(1);
    expect((await ask(url)).status).toBe(200);
  });
});

describe('at start', () => {
  test('the probe passes where rows and image are answered alike', async () => {
    const url = await start({ probe: 'strict' });
    expect(log.map(({ event }) => event)).toContain('probe-passed');
    expect((await ask(url)).status).toBe(200);
  });

  test.each([
    [
      'rows of another encoder',
      () => {
        selector = createFakeSelector({ vision: 575 });
      },
    ],
    ['a server that takes no images', () => upstream.fail('refuse-images')],
  ])('%s: the server refuses to serve, unless told to warn', async (_, spoil) => {
    spoil();
    await expect(start({ probe: 'strict' })).rejects.toBeInstanceOf(ServeStartError);
    await start({ probe: 'warn' });
    expect(log.map(({ event }) => event)).toContain('probe-failed');
  });

  test('a model that is not served, and a server that is not there', async () => {
    const other = createVllmClient({ baseUrl: upstream.url, model: 'other' });
    await expect(start({ client: other })).rejects.toThrow(/'tiny'/);
    const nowhere = createVllmClient({ baseUrl: 'http://127.0.0.1:9', model: 'tiny' });
    await expect(start({ client: nowhere })).rejects.toBeInstanceOf(UpstreamUnavailableError);
  });
});

describe('other routes', () => {
  test('a grid is refused, or a line if that is wished', async () => {
    await upstream.close();
    upstream = await startFakeVllm({ family: 'qwen' });
    selector = createFakeSelector({ route: { part: 'image_embeds', merge: 2 }, vision: 192, kept: 30 });
    await expect(start()).rejects.toThrow(/grid: 'line'/);
    const body = await read(ask(await start({ grid: 'line' })));
    expect(body.usage.prompt_tokens).toBe(43);
    expect(upstream.isDead).toBe(false);
  });

  test('rows as a part of the prompt stand between the marks', async () => {
    const route = { part: 'prompt_embeds', before: '<|vision_start|>', after: '<|vision_end|>' } as const;
    selector = createFakeSelector({ route, kept: 30 });
    expect((await ask(await start({ dtype: 'float16' }))).status).toBe(200);
    const [{ content }] = lastBody().messages as [{ content: { type: string; text?: string }[] }];
    expect(content.map(({ type, text }) => text ?? type)).toEqual([
      '<|vision_start|>',
      'prompt_embeds',
      '<|vision_end|>',
      QUESTION,
    ]);
  });
});

describe('createVllmClient, without a server', () => {
  const rows = { data: new Float32Array(57 * HIDDEN).fill(0.5), dims: [57, HIDDEN] };
  const messages = [{ role: 'user', content: [imageEmbedsPart(rows), { type: 'text', text: QUESTION }] }];

  test('asks and streams', async () => {
    const client = createVllmClient({ baseUrl: upstream.url, model: 'tiny' });
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
    const client = createVllmClient({ baseUrl: upstream.url, model: 'tiny' });
    const bad = [{ role: 'user', content: [{ type: 'image_embeds', image_embeds: '!' }] }];
    await expect(client.chat({ messages: bad })).rejects.toMatchObject({
      status: 400,
      body: expect.stringContaining('base64'),
    });
    upstream.fail('error');
    await expect(client.stream({ messages }).next()).rejects.toBeInstanceOf(UpstreamError);
    upstream.fail('cut');
    await expect(async () => {
      for await (const _ of client.stream({ messages }));
    }).rejects.toThrow();
  });

  test('parts go through the openai package too', async () => {
    const openai = new OpenAI({ baseURL: `${upstream.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const reply = await openai.chat.completions.create({ model: 'tiny', messages: messages as never });
    expect(reply.choices[0]?.message.content).toBe(llava.c?.text);
  });
});
