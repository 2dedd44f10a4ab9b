// The server around the engine `local`: load, clients that disconnect, limits, health, logs, and shutdown.

import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createLocalEngine, type LocalRequest, startServer } from '../src/index.js';
import { createFakeModel, createGate, imageAnd } from './support/fakes.js';
import { ask, question, useLocalServer } from './support/local-server.js';

const { start, close, log } = useLocalServer();

/** How many requests the server runs and holds in its queue, as its metrics say. */
async function loadOf(url: string): Promise<{ readonly running: number; readonly queued: number }> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const read = (name: string): number => Number(new RegExp(`\\n${name} (\\d+)`).exec(metrics)?.[1]);
  return { running: read('mmtok_running_requests'), queued: read('mmtok_queue_depth') };
}

describe('load', () => {
  test('requests run one at a time; if the queue is full, they get 429 with Retry-After', async () => {
    const gate = createGate();
    const model = createFakeModel({ gate: () => gate });
    const url = await start(model, { queueLimit: 2 });
    let answered = 0;
    const asked = Array.from({ length: 6 }, async () => {
      const response = await ask(url, {});
      answered += 1;
      return response;
    });
    await expect.poll(() => answered).toBe(3);
    gate.open();
    const responses = await Promise.all(asked);
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429]);
    const refused = responses.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(model.mostAtOnce).toBe(1);
    expect((await ask(url, {})).status).toBe(200);
  });

  test('clients that disconnect free their place, in the queue and while running, with and without a stream', async () => {
    let gate = createGate();
    const model = createFakeModel({ gate: () => gate });
    const url = await start(model, { queueLimit: 8 });
    for (const stream of [false, true]) {
      gate = createGate();
      const gone = new AbortController();
      const lost = Promise.allSettled(
        [0, 1, 2].map(async () => (await ask(url, { stream }, { signal: gone.signal })).text()),
      );
      await expect.poll(() => loadOf(url)).toEqual({ running: 1, queued: 2 });
      gone.abort();
      await expect.poll(async () => (await loadOf(url)).queued).toBe(0);
      gate.open();
      for (const result of await lost) expect(result.status).toBe('rejected');
      const response = await ask(url, { stream, max_tokens: 1 });
      expect(await response.text()).toContain('what');
    }
    expect(model.aborted).toBe(2);
    await expect.poll(() => loadOf(url)).toEqual({ running: 0, queued: 0 });
  });

  test('a request that takes too long ends with 504, or with an error event', async () => {
    const url = await start(createFakeModel({ pauseMs: 60 }), { limits: { requestMs: 150 } });
    expect((await ask(url, {})).status).toBe(504);
    const text = await (await ask(url, { stream: true })).text();
    expect(text).toContain('MMTOK_TIMEOUT');
    expect(text).not.toContain('[DONE]');
  });

  test.each(['bodyMs', 'requestMs', 'imageFetchMs'])(
    '%s beyond the longest timer is rejected',
    async (limit) => {
      const limits = { [limit]: 2 ** 31 };
      await expect(start(createFakeModel(), { limits })).rejects.toThrow(`limits.${limit}`);
      await start(createFakeModel(), { limits: { [limit]: 2 ** 31 - 1 } });
    },
  );
});

describe('a client that stops reading its stream', () => {
  test('no longer holds the engine after the time limit, and is then disconnected', async () => {
    const endless = async function* (signal: AbortSignal): AsyncGenerator<string> {
      // Pieces that fill the buffers of both ends, so that the server has to wait for the client.
      for (;;) {
        signal.throwIfAborted();
        yield 'x'.repeat(100_000);
      }
    };
    const answer = new Promise<never>(() => undefined);
    let asked = 0;
    const model = Object.assign(createFakeModel(), {
      stream({ signal }: LocalRequest) {
        asked += 1;
        return Object.assign(endless(signal), { answer });
      },
    });
    const url = await start(model, { limits: { requestMs: 1500, bodyMs: 1500 } });
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
    await expect.poll(() => asked).toBe(1);
    await expect.poll(async () => (await loadOf(url)).running).toBe(0);
    // The connection is closed later, once it has been idle for longer than a request may take.
    const logged = () => log.filter(({ event }) => event === 'request').length;
    await expect.poll(logged).toBe(1);
    socket.resume();
    await closed;
  });
});

describe('the server', () => {
  test('errors have the four fields of OpenAI, and the one for a wrong method names the right one', async () => {
    const url = await start(createFakeModel());
    const response = await fetch(`${url}/v1/chat/completions`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    const { error } = (await response.json()) as { error: object };
    expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  });

  test('bodies in flight share a bounded amount of memory', async () => {
    const gate = createGate();
    const model = createFakeModel({ gate: () => gate });
    const url = await start(model, { limits: { totalBodyBytes: 1000 } });
    const padded = (user: number) => ask(url, { user: 'x'.repeat(user) });
    const first = padded(500);
    await expect.poll(() => model.requests.length).toBe(1);
    expect((await padded(500)).status).toBe(429);
    gate.open();
    expect((await first).status).toBe(200);
    expect((await padded(500)).status).toBe(200);
    // A single request is always accepted, however small the limit.
    expect((await padded(2000)).status).toBe(200);
  });

  test('reports health, readiness, and metrics', async () => {
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

  test('logs counts, but no texts, images, or keys', async () => {
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
    const gate = createGate();
    const model = createFakeModel({ gate: () => gate });
    const url = await start(model);
    const running = [ask(url, {}), ask(url, { stream: true }), ask(url, {})].map(async (response) =>
      (await response).text(),
    );
    await expect.poll(() => loadOf(url)).toEqual({ running: 1, queued: 2 });
    const closed = close();
    gate.open();
    for (const text of await Promise.all(running)) expect(text).toContain('today');
    await closed;
    expect(model.isDisposed).toBe(true);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  test('a public address needs a key, and a local one answers only requests to localhost', async () => {
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
