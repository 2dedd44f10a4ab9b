// Hostile requests get a 4xx, and the next request works.

import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createLocalEngine,
  createVllmClient,
  createVllmEngine,
  type LogEntry,
  type RunningServer,
  startServer,
} from '../src/index.js';
import { type FakeVllm, startFakeVllm } from './support/fake-vllm.js';
import { createFakeModel, createFakeSelector, imageAnd } from './support/fakes.js';
import { type Hostile, hostileRequests } from './support/hostile.js';

const limits = {
  bodyBytes: 250_000,
  bodyMs: 2000,
  images: 8,
  pixels: 50_000_000,
  textLength: 50_000,
};
const remoteImages = { allow: ['images.example.com'] };
const log: LogEntry[] = [];
let upstream: FakeVllm;
const servers: Record<string, RunningServer> = {};

beforeAll(async () => {
  upstream = await startFakeVllm();
  const client = createVllmClient({ baseUrl: upstream.url, model: 'tiny' });
  const vllm = await createVllmEngine({ client, selector: createFakeSelector(), probe: 'off' });
  const local = createLocalEngine({ model: createFakeModel() });
  const common = { port: 0, limits, remoteImages, log: (entry: LogEntry) => log.push(entry) };
  servers.local = await startServer({ engine: local, ...common });
  servers.vllm = await startServer({ engine: vllm, ...common });
});
afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.close()));
  await upstream.close();
});

/** Sends a request exactly as written; `fetch` would correct it. */
function send(url: string, hostile: Hostile): Promise<number> {
  const { hostname, port } = new URL(url);
  const { path = '/v1/chat/completions', method = 'POST', headers = {}, body } = hostile;
  return new Promise((done, fail) => {
    const sent = httpRequest(
      {
        hostname,
        port,
        path,
        method,
        agent: false,
        headers: { 'content-type': 'application/json', ...headers },
      },
      (response) => {
        response.resume();
        response.on('end', () => done(response.statusCode ?? 0));
        response.on('error', () => done(response.statusCode ?? 0));
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // The server may close the connection while a rejected body is still being sent.
      if (error.code === 'EPIPE' || error.code === 'ECONNRESET') done(413);
      else fail(error);
    });
    sent.end(body);
  });
}

const good = {
  body: JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: imageAnd('hi') }] }),
  name: '',
};
const hostile = hostileRequests();

test('there are 500 of them', () => {
  expect(hostile.length).toBeGreaterThanOrEqual(500);
});

describe.each(['local', 'vllm'])('engine %s', (name) => {
  test('answers each with a 4xx, and the next request normally', async () => {
    const url = servers[name]?.url ?? '';
    const wrong: string[] = [];
    const sentBefore = upstream.requests.length;
    for (const [index, each] of hostile.entries()) {
      const status = await send(url, each);
      if (status < 400 || status >= 500) wrong.push(`${each.name}: ${status}`);
      if (index % 10 === 0 && (await send(url, good)) !== 200) wrong.push(`after ${each.name}`);
    }
    expect(wrong).toEqual([]);
    const goodOnes = Math.ceil(hostile.length / 10);
    expect(upstream.requests.length - sentBefore).toBe(name === 'vllm' ? goodOnes : 0);
    expect(upstream.violations).toEqual([]);
    expect(/iVBOR|root:|AAAA/.test(JSON.stringify(log))).toBe(false);
  });

  test('slow and broken bodies do not delay other requests', async () => {
    const url = servers[name]?.url ?? '';
    const { hostname, port } = new URL(url);
    const raw = (text: string): Promise<string> =>
      new Promise((done) => {
        let answer = '';
        const socket = connect(Number(port), hostname, () => socket.write(text));
        socket.on('data', (data) => {
          answer += data;
        });
        socket.on('error', () => undefined);
        socket.on('close', () => done(answer));
      });
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n`;
    const slow = Array.from({ length: 20 }, () => raw(`${head}Content-Length: 1000\r\n\r\n{"model"`));
    const bad = [
      raw(`${head}Content-Length: -5\r\n\r\n{}`),
      raw(`${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
      raw(`${head}Transfer-Encoding: chunked\r\n\r\nZZZ\r\n`),
      raw('GARBAGE\r\n\r\n'),
      raw(`${head}Content-Length: 99999999\r\n\r\n{`),
    ];
    expect(await send(url, good)).toBe(200);
    for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^HTTP\/1\.1 408/);
    for (const answer of await Promise.all(bad)) expect(answer).toMatch(/^HTTP\/1\.1 4\d\d|^$/);
    expect(await send(url, good)).toBe(200);
  });
});
