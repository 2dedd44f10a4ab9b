// The engine `vllm` in front of a vLLM server that fails, and its checks at startup.

import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { createVllmClient, ServeStartError, UpstreamUnavailableError } from '../src/index.js';
import { createFakeSelector, imageAnd } from './support/fakes.js';
import { ask, chat, read, useVllmServers } from './support/vllm-server.js';

const servers = useVllmServers();

describe('an upstream server that fails', () => {
  test('its errors keep status and text', async () => {
    const url = await servers.start();
    const content = Array.from({ length: 4 }, () => imageAnd('x')[0]);
    const response = await ask(url, { ...chat(content), mmtok: { keep: 576 } });
    expect(response.status).toBe(400);
    expect((await read(response)).error).toMatchObject({
      type: 'BadRequestError',
      message: expect.stringContaining('maximum context length'),
    });
    servers.upstream.fail('error');
    const failed = await ask(url);
    expect([failed.status, (await read(failed)).error.message]).toEqual([500, 'Internal server error']);
    expect((await ask(url)).status).toBe(200);
  });

  test('a broken connection is retried once', async () => {
    const url = await servers.start();
    servers.upstream.fail('reset');
    expect((await ask(url)).status).toBe(200);
    servers.upstream.fail('reset', 2);
    const response = await ask(url);
    expect([response.status, (await read(response)).error.code]).toEqual([503, 'MMTOK_UPSTREAM_UNAVAILABLE']);
  });

  test('a dead engine opens the circuit: requests are rejected at once until it is back', async () => {
    const url = await servers.start();
    servers.upstream.isDead = true;
    // 503 if the breaker has checked in the meantime.
    expect([500, 503]).toContain((await ask(url)).status);
    const before = servers.upstream.requests.length;
    const refused = await ask(url);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(servers.upstream.requests.length).toBe(before);
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    servers.upstream.isDead = false;
    await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(200);
    expect((await ask(url)).status).toBe(200);
    expect(servers.log.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['upstream-down', 'upstream-up']),
    );
  });

  test('an engine that dies between requests is noticed', async () => {
    const url = await servers.start();
    servers.upstream.isDead = true;
    await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(503);
    servers.upstream.isDead = false;
    await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(200);
    expect(servers.upstream.requests).toEqual([]);
  });

  test('a truncated stream ends with an error', async () => {
    const url = await servers.start();
    servers.upstream.fail('cut');
    const text = await (await ask(url, { ...chat(), stream: true })).text();
    expect(text).toContain('MMTOK_UPSTREAM_UNAVAILABLE');
    expect(text).not.toContain('[DONE]');
    servers.upstream.fail('cut');
    expect((await ask(url)).status).toBe(502);
    expect((await ask(url)).status).toBe(200);
  });

  test.each(['cut', 'cut-after-marker'] as const)(
    'a truncated stream (%s) ends with an error event, and clients can parse all of it',
    async (fault) => {
      const url = await servers.start();
      servers.upstream.fail(fault);
      const text = await (await ask(url, { ...chat(), stream: true })).text();
      const events = text
        .split('\n\n')
        .filter((event) => event !== '')
        .map((event) => JSON.parse(event.replace(/^data: /, '')) as object);
      expect(events.length).toBeGreaterThan(1);
      expect(events.at(-1)).toMatchObject({ error: { code: 'MMTOK_UPSTREAM_UNAVAILABLE' } });
      const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
      servers.upstream.fail(fault);
      const stream = await openai.chat.completions.create({ ...chat(), stream: true } as never);
      await expect(async () => {
        for await (const _ of stream as unknown as AsyncIterable<unknown>);
      }).rejects.toThrow(/ended its stream early/);
    },
  );

  test("a rejected key is this server's fault, not the client's", async () => {
    const url = await servers.start();
    servers.upstream.fail('reject-key');
    const response = await ask(url);
    expect([response.status, (await read(response)).error.code]).toEqual([502, 'MMTOK_UPSTREAM_UNAVAILABLE']);
    expect((await ask(url)).status).toBe(200);
  });

  test('streams count as running until they end', async () => {
    const url = await servers.start();
    const running = async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return /mmtok_running_requests (\d+)/.exec(metrics)?.[1];
    };
    servers.upstream.fail('hang');
    const gone = new AbortController();
    const response = await ask(url, { ...chat(), stream: true }, { signal: gone.signal });
    expect(await running()).toBe('1');
    gone.abort();
    await expect(response.text()).rejects.toThrow();
    await expect.poll(running).toBe('0');
    await (await ask(url, { ...chat(), stream: true })).text();
    await expect.poll(running).toBe('0');
  });

  test('a client that disconnects ends its upstream request', async () => {
    const url = await servers.start();
    servers.upstream.fail('slow');
    const gone = new AbortController();
    const lost = ask(url, chat(), { signal: gone.signal });
    await expect.poll(() => servers.upstream.requests.length).toBe(1);
    gone.abort();
    await expect(lost).rejects.toThrow();
    await expect.poll(() => servers.upstream.aborted).toBe(1);
    expect((await ask(url)).status).toBe(200);
  });
});

describe('at startup', () => {
  test('the probe passes if rows and image get the same answer', async () => {
    const url = await servers.start({ probe: 'strict' });
    expect(servers.log.map(({ event }) => event)).toContain('probe-passed');
    expect((await ask(url)).status).toBe(200);
  });

  test.each([
    [
      'rows of another encoder',
      () => {
        servers.selector = createFakeSelector({ vision: 575 });
      },
    ],
    ['a server that takes no images', () => servers.upstream.fail('refuse-images')],
  ])('%s: the server does not start, unless the probe only warns', async (_, spoil) => {
    spoil();
    await expect(servers.start({ probe: 'strict' })).rejects.toBeInstanceOf(ServeStartError);
    await servers.start({ probe: 'warn' });
    expect(servers.log.map(({ event }) => event)).toContain('probe-failed');
  });

  test('rejects a model that is not served, and a server that cannot be reached', async () => {
    const other = createVllmClient({ baseUrl: servers.upstream.url, model: 'other' });
    await expect(servers.start({ client: other })).rejects.toThrow(/'tiny'/);
    const nowhere = createVllmClient({ baseUrl: 'http://127.0.0.1:9', model: 'tiny' });
    await expect(servers.start({ client: nowhere })).rejects.toBeInstanceOf(UpstreamUnavailableError);
  });
});
