// The server with the engine `local`, asked by the official clients.

import { connect } from 'node:net';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createLocalEngine,
  type LocalRequest,
  type LogEntry,
  type RunningServer,
  type ServerOptions,
  startServer,
} from '../src/index.js';
import { createFakeModel, type FakeModel, imageAnd, PIXEL } from './support/fakes.js';

let server: RunningServer | undefined;
let log: LogEntry[] = [];
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(
  model: FakeModel,
  options: Partial<ServerOptions> & { queueLimit?: number } = {},
): Promise<string> {
  const { queueLimit, ...rest } = options;
  log = [];
  server = await startServer({
    engine: createLocalEngine({ model, queueLimit }),
    port: 0,
    log: (entry) => log.push(entry),
    ...rest,
  });
  return server.url;
}

const question = 'what color is the sky today';
const ask = (url: string, body: object, init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'tiny',
      messages: [{ role: 'user', content: imageAnd(question) }],
      ...body,
    }),
    ...init,
  });

describe('the openai package, unchanged', () => {
  const client = (url: string): OpenAI =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: 'secret-key', maxRetries: 0 });
  const request = { model: 'tiny', messages: [{ role: 'user' as const, content: imageAnd(question) }] };

  test('asks, and reads the answer, the usage and what pruning did', async () => {
    const openai = client(await start(createFakeModel(), { apiKey: 'secret-key' }));
    const { data, response } = await openai.chat.completions.create(request).withResponse();
    expect(data.choices[0]).toMatchObject({
      message: { role: 'assistant', content: question },
      finish_reason: 'stop',
    });
    expect(data.usage).toEqual({ prompt_tokens: 66, completion_tokens: 6, total_tokens: 72 });
    expect((data as unknown as { mmtok: unknown }).mmtok).toEqual({
      reason: 'budgetReached',
      visionTokens: 576,
      keptTokens: 57,
      coverage: { text: 0.9, vision: 0.5 },
      images: [{ visionTokens: 576, keptTokens: 57 }],
      timings: { encodeMs: 12, selectMs: 3, prefillMs: 40, decodeMs: 5 },
    });
    expect(response.headers.get('x-mmtok')).toBe(
      'reason=budget-reached, vision-tokens=576, kept-tokens=57, coverage-text=0.9000, coverage-vision=0.5000, ' +
        'encode-ms=12.0, select-ms=3.0, prefill-ms=40.0, decode-ms=5.0',
    );
  });

  test('streams, with the usage at the end', async () => {
    const openai = client(await start(createFakeModel()));
    const stream = await openai.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let last: OpenAI.ChatCompletionChunk | undefined;
    let summary: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      summary ??= (chunk as unknown as { mmtok?: unknown }).mmtok;
      last = chunk;
    }
    expect(text).toBe(question);
    expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 66 } });
    expect(summary).toMatchObject({ keptTokens: 57 });
  });

  test('lists the model, and gets typed errors', async () => {
    const openai = client(await start(createFakeModel(), { apiKey: 'secret-key' }));
    const models = await openai.models.list();
    expect(models.data.map(({ id }) => id)).toEqual(['tiny']);
    expect((await openai.models.retrieve('tiny')).id).toBe('tiny');
    await expect(openai.chat.completions.create({ ...request, model: 'gpt' })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    const stranger = new OpenAI({ baseURL: openai.baseURL, apiKey: 'another', maxRetries: 0 });
    await expect(stranger.chat.completions.create(request)).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    await expect(openai.chat.completions.create({ ...request, n: 2 })).rejects.toMatchObject({
      status: 400,
      param: 'n',
      code: 'MMTOK_BAD_REQUEST',
    });
  });
});

describe('@ai-sdk/openai-compatible, unchanged', () => {
  const messages = [
    {
      role: 'user' as const,
      content: [
        { type: 'image' as const, image: PIXEL },
        { type: 'text' as const, text: question },
      ],
    },
  ];

  test('asks and streams', async () => {
    const model = createFakeModel();
    const provider = createOpenAICompatible({
      name: 'mmtok',
      baseURL: `${await start(model)}/v1`,
      includeUsage: true,
    });
    const whole = await generateText({ model: provider('tiny'), messages, maxOutputTokens: 4 });
    expect(whole.text).toBe('what color is the');
    expect(whole.finishReason).toBe('length');
    expect(whole.usage).toMatchObject({ inputTokens: 66, outputTokens: 4 });
    const stream = streamText({ model: provider('tiny'), messages });
    let text = '';
    for await (const piece of stream.textStream) text += piece;
    expect(text).toBe(question);
    expect(await stream.usage).toMatchObject({ inputTokens: 66 });
  });

  test('hands over overrides', async () => {
    const model = createFakeModel();
    const provider = createOpenAICompatible({ name: 'mmtok', baseURL: `${await start(model)}/v1` });
    const providerOptions = { mmtok: { mmtok: { keep: 0.25, question: 'the sky' } } };
    await generateText({ model: provider('tiny'), messages, providerOptions });
    expect(model.requests[0]?.mmtok).toEqual({ budget: { ratio: 0.25 }, question: 'the sky' });
  });
});

describe('what a request asks for', () => {
  test('overrides, temperature, bounds and roles reach the model', async () => {
    const model = createFakeModel();
    const url = await start(model);
    const messages = [
      { role: 'developer', content: 'be brief' },
      { role: 'user', content: imageAnd('first') },
      { role: 'assistant', content: 'yes' },
      { role: 'user', content: [{ type: 'text', text: question }] },
    ];
    await ask(url, {
      messages,
      mmtok: { keep: 64, agent: false, tiles: { max: 5 } },
      temperature: 0.7,
      max_completion_tokens: 9,
    });
    await ask(url, { mmtok: { keep: { coverage: 0.9 } }, temperature: 0 });
    const off = await ask(url, { mmtok: false });
    expect(model.requests.map(({ mmtok }) => mmtok)).toEqual([
      { budget: { tokens: 64 }, agent: false, tiles: { max: 5 } },
      { budget: { coverage: 0.9 } },
      false,
    ]);
    expect(model.requests[0]).toMatchObject({
      maxNewTokens: 9,
      generation: { do_sample: true, temperature: 0.7 },
    });
    expect(model.requests[1]?.generation).toMatchObject({ do_sample: false });
    expect(model.requests[0]?.messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ]);
    expect(model.requests[0]?.messages[1]?.content).toMatchObject([
      { type: 'image', image: { type: 'image/png', size: 70 } },
      { type: 'text', text: 'first' },
    ]);
    expect(await off.json()).toMatchObject({ mmtok: { reason: 'disabled', keptTokens: 576 } });
  });

  test.each([false, true])(
    'stop sequences end the answer and the generation (stream: %s)',
    async (stream) => {
      const model = createFakeModel();
      const url = await start(model);
      const response = await ask(url, { stop: ['is th', 'never'], stream });
      const text = await response.text();
      const content = stream
        ? [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('')
        : JSON.parse(text).choices[0].message.content;
      expect(content).toBe('what color ');
      expect(text).toContain('"finish_reason":"stop"');
    },
  );

  test('top_p and temperature ask for sampling, and their absence for greedy search', async () => {
    const model = createFakeModel();
    const url = await start(model);
    const asked = [
      { top_p: 0.9 },
      { top_p: 0.5, temperature: 0.7 },
      { top_p: 1 },
      { top_p: 0.9, temperature: 0 },
    ];
    for (const each of asked) expect((await ask(url, { ...each, user: 'someone' })).status).toBe(200);
    const nucleus = [expect.any(Function)];
    expect(model.requests.map(({ generation: { stopping_criteria: _, ...rest } }) => rest)).toEqual([
      { do_sample: true, temperature: 1, top_k: 0, logits_processor: nucleus },
      { do_sample: true, temperature: 0.7, top_k: 0, logits_processor: nucleus },
      { do_sample: false },
      { do_sample: false },
    ]);
  });

  test.each([
    ['tools', [{ type: 'function', function: { name: 'f' } }]],
    ['tool_choice', 'required'],
    ['functions', [{ name: 'f' }]],
    ['response_format', { type: 'json_object' }],
    ['logprobs', true],
    ['top_logprobs', 3],
    ['logit_bias', { 5: 1 }],
    ['frequency_penalty', 1],
    ['reasoning_effort', 'high'],
    ['structured_outputs', { json: {} }],
    ['toString', 1],
    ['seed', 5],
  ])('%s is refused by name', async (field, value) => {
    const response = await ask(await start(createFakeModel()), { temperature: 1, [field]: value });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: field } });
  });

  test.each([
    ['n', 1],
    ['tools', []],
    ['logprobs', false],
    ['presence_penalty', 0],
    ['seed', 5],
    ['response_format', { type: 'text' }],
    ['tool_choice', null],
  ])('%s that asks nothing is taken', async (field, value) => {
    expect((await ask(await start(createFakeModel()), { [field]: value })).status).toBe(200);
  });

  test('messages of tools are refused by name', async () => {
    const messages = [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: '1', type: 'function', function: { name: 'f' } }],
      },
      { role: 'tool', tool_call_id: '1', content: 'y' },
    ];
    const response = await ask(await start(createFakeModel()), { messages });
    expect(await response.json()).toMatchObject({ error: { param: 'messages[1]' } });
  });
});

describe('load', () => {
  test('one at a time; beyond the queue 429 with Retry-After', async () => {
    const model = createFakeModel({ pauseMs: 20 });
    const url = await start(model, { queueLimit: 2 });
    const responses = await Promise.all(Array.from({ length: 6 }, () => ask(url, {})));
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429]);
    const refused = responses.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(model.mostAtOnce).toBe(1);
    expect((await ask(url, {})).status).toBe(200);
  });

  test('clients that go away free their place, in the queue and at work, with and without a stream', async () => {
    const model = createFakeModel({ pauseMs: 100 });
    const url = await start(model, { queueLimit: 8 });
    for (const stream of [false, true]) {
      const gone = new AbortController();
      const lost = [0, 1, 2].map(() =>
        ask(url, { stream }, { signal: gone.signal }).then((response) => response.text()),
      );
      await new Promise((done) => setTimeout(done, stream ? 250 : 150));
      gone.abort();
      for (const result of await Promise.allSettled(lost)) expect(result.status).toBe('rejected');
      const response = await ask(url, { stream, max_tokens: 1 });
      expect(await response.text()).toContain('what');
    }
    expect(model.aborted).toBe(2);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/mmtok_queue_depth 0\n/);
    expect(metrics).toMatch(/mmtok_running_requests 0\n/);
  });

  test('a request that takes too long ends with 504, or with an error event', async () => {
    const url = await start(createFakeModel({ pauseMs: 60 }), { limits: { requestMs: 150 } });
    expect((await ask(url, {})).status).toBe(504);
    const text = await (await ask(url, { stream: true })).text();
    expect(text).toContain('MMTOK_TIMEOUT');
    expect(text).not.toContain('[DONE]');
  });
});

describe('a client that stops reading its stream', () => {
  test('loses the engine and its connection when its time is up', async () => {
    const endless = async function* (signal: AbortSignal): AsyncGenerator<string> {
      // Pieces that fill the buffers of both ends, so that the server has to wait for the client.
      for (;;) {
        signal.throwIfAborted();
        yield 'x'.repeat(100_000);
      }
    };
    const answer = new Promise<never>(() => undefined);
    const model = Object.assign(createFakeModel(), {
      stream: ({ signal }: LocalRequest) => Object.assign(endless(signal), { answer }),
    });
    const url = await start(model, { limits: { requestMs: 1500, bodyMs: 500 } });
    const { port, hostname } = new URL(url);
    const body = JSON.stringify({ model: 'tiny', stream: true, messages: [{ role: 'user', content: 'x' }] });
    const socket = connect(Number(port), hostname);
    const closed = new Promise((done) => socket.once('close', done));
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    const running = async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return /mmtok_running_requests (\d)/.exec(metrics)?.[1];
    };
    await expect.poll(running, { timeout: 10_000 }).toBe('1');
    await expect.poll(running, { timeout: 10_000 }).toBe('0');
    // The connection is closed later, when nothing has moved for longer than a request may take.
    const logged = () => log.filter(({ event }) => event === 'request').length;
    await expect.poll(logged, { timeout: 10_000 }).toBe(1);
    socket.resume();
    await closed;
  });
});

describe('texts', () => {
  const rules = {
    model: { config: { image_token_index: 4, text_config: { max_position_embeddings: 8 } } },
    processor: {
      tokenizer: { encode: (text: string) => text.split(' ').map(Number), decode: () => ' <image>' },
    },
  };
  test.each([
    [
      'longer than the context',
      [{ role: 'user', content: 'a b c d e f g h i' }],
      'messages[0]',
      'MMTOK_LIMIT',
    ],
    [
      'longer than the context together',
      [
        { role: 'user', content: 'a b c d e' },
        { role: 'assistant', content: 'a b c' },
        { role: 'user', content: 'a' },
      ],
      'messages[2]',
      'MMTOK_LIMIT',
    ],
    [
      'with a placeholder',
      [
        { role: 'system', content: 'an <image> here' },
        { role: 'user', content: 'a' },
      ],
      'messages[0]',
      'MMTOK_BAD_REQUEST',
    ],
    [
      'with a placeholder in two parts',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: '<im' },
            { type: 'text', text: 'age>' },
          ],
        },
      ],
      'messages[0]',
      'MMTOK_BAD_REQUEST',
    ],
  ])('%s are rejected before the model runs', async (_, messages, param, code) => {
    const model = Object.assign(createFakeModel(), rules);
    const url = await start(model);
    const response = await ask(url, { messages });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param, code } });
    expect(model.requests).toEqual([]);
    expect((await ask(url, { messages: [{ role: 'user', content: 'a b c d e f g h' }] })).status).toBe(200);
  });
});

describe('around it', () => {
  test('errors have the four fields of OpenAI, and a wrong method says which is right', async () => {
    const url = await start(createFakeModel());
    const response = await fetch(`${url}/v1/chat/completions`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    const { error } = (await response.json()) as { error: object };
    expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  });

  test('bodies in flight share a bounded amount of memory', async () => {
    const model = createFakeModel({ pauseMs: 50 });
    const url = await start(model, { limits: { totalBodyBytes: 1000 } });
    const padded = (user: number) => ask(url, { user: 'x'.repeat(user) });
    const [first, second] = await Promise.all([padded(500), padded(500)]);
    expect([first.status, second.status].sort()).toEqual([200, 429]);
    expect((await padded(500)).status).toBe(200);
    // One request always fits, however small the bound.
    expect((await padded(2000)).status).toBe(200);
  });

  test('health, readiness and metrics', async () => {
    const url = await start(createFakeModel(), { apiKey: 'secret-key' });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(await (await fetch(`${url}/ready`)).json()).toEqual({ ready: true });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer secret-key' };
    expect((await ask(url, {}, { headers })).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('mmtok_vision_tokens_total{stage="kept"} 57');
    expect(metrics).toContain('mmtok_requests_total{route="/v1/chat/completions",status="200"} 1');
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  });

  test('the log has counts, and neither words nor images nor keys', async () => {
    const url = await start(createFakeModel(), { apiKey: 'secret-key' });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer secret-key' };
    await ask(url, {}, { headers });
    await ask(
      url,
      { messages: [{ role: 'user', content: imageAnd(question, 'data:image/png;base64,AAAA') }] },
      { headers },
    );
    const requests = log.filter(({ event }) => event === 'request');
    expect(requests).toMatchObject([
      { status: 200, visionTokens: 576, keptTokens: 57, promptTokens: 66, images: 1 },
      { status: 400, code: 'MMTOK_BAD_REQUEST' },
    ]);
    expect(JSON.stringify(log)).not.toMatch(/sky|base64|iVBOR|AAAA|secret-key/);
  });

  test('closing loses no request in flight, and disposes of the model', async () => {
    const model = createFakeModel({ pauseMs: 30 });
    const url = await start(model);
    const running = [ask(url, {}), ask(url, { stream: true }), ask(url, {})].map(async (response) =>
      (await response).text(),
    );
    const load = async (): Promise<string> => await (await fetch(`${url}/metrics`)).text();
    await expect.poll(load).toMatch(/mmtok_queue_depth 2\n/);
    const closed = server?.close();
    for (const text of await Promise.all(running)) expect(text).toContain('today');
    await closed;
    expect(model.isDisposed).toBe(true);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  test('an open address needs a key, and a local one answers to its own name only', async () => {
    const engine = createLocalEngine({ model: createFakeModel() });
    await expect(startServer({ engine, host: '0.0.0.0', port: 0 })).rejects.toMatchObject({
      code: 'MMTOK_SERVE_START',
    });
    const url = await start(createFakeModel());
    const { request } = await import('node:http');
    const status = await new Promise((done) => {
      request(`${url}/health`, { headers: { host: 'evil.example.com' } }, (response) => {
        response.resume();
        done(response.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });
});
