// The client with a slow vLLM server: a call's signal alone limits how long it may take. The test's clock runs 1,000 times as fast.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as realTime } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createVllmClient, UpstreamUnavailableError, type VllmClient } from '../src/index.js';

/** Longer than the 300 seconds, 0.3 here, after which undici gives up by default. */
const LONG_MS = 1500;
const ANSWER = { choices: [{ message: { content: 'a cat' } }] };

let answer: (response: ServerResponse) => Promise<void>;
const server = createServer((_, response) => void answer(response));
let client: VllmClient;

beforeEach(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { setTimeout: real } = globalThis;
  const fast = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]): NodeJS.Timeout =>
    real(run, ms / 1000, ...values);
  vi.stubGlobal('setTimeout', fast);
  client = createVllmClient({ baseUrl, model: 'tiny' });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

test('an answer and a stream may start late and pause for as long as the signal allows', async () => {
  const { signal } = new AbortController();
  answer = async (response) => {
    await realTime(LONG_MS);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(' ');
    await realTime(LONG_MS);
    response.end(JSON.stringify(ANSWER));
  };
  const chunks = async (): Promise<unknown[]> => {
    const all: unknown[] = [];
    for await (const chunk of client.stream({ messages: [] }, { signal })) all.push(chunk);
    return all;
  };
  expect(await client.chat({ messages: [] }, { signal })).toEqual(ANSWER);
  answer = async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"at":1}\n\n');
    await realTime(LONG_MS);
    response.end('data: {"at":2}\n\ndata: [DONE]\n\n');
  };
  expect(await chunks()).toEqual([{ at: 1 }, { at: 2 }]);
});

test('a call without a signal ends after five minutes of silence', async () => {
  answer = () => new Promise(() => undefined);
  const call = client.chat({ messages: [] });
  await expect(call).rejects.toBeInstanceOf(UpstreamUnavailableError);
  await expect(call).rejects.toThrow(/UND_ERR_HEADERS_TIMEOUT/);
});
