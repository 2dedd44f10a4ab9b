// A server with the engine `vllm` in front of a fake vLLM server, for each test of a file.

import { afterEach, beforeEach, expect } from 'vitest';
import {
  createVllmClient,
  createVllmEngine,
  type LogEntry,
  type RunningServer,
  startServer,
  type VllmEngineOptions,
} from '../../src/index.js';
import { type FakeVllm, type FakeVllmOptions, QUESTION, startFakeVllm } from './fake-vllm.js';
import { createFakeSelector, type FakeSelector, imageAnd } from './fakes.js';

/** The body of a request with one user message. */
export const chat = (content: unknown = imageAnd(QUESTION)) => ({
  model: 'tiny',
  messages: [{ role: 'user', content }],
});

export const ask = (url: string, body: object = chat(), init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...init,
  });

/** The fields of an answer or an error that tests read. */
export interface Reply {
  readonly id: string;
  readonly choices: readonly [{ readonly message: { readonly content: string } }];
  readonly usage: { readonly prompt_tokens: number };
  readonly mmtok?: { readonly images: readonly unknown[] };
  readonly error: { readonly code: string; readonly message: string };
}

export const read = async (response: Response | Promise<Response>): Promise<Reply> =>
  (await (await response).json()) as Reply;

/** The servers of the test that is running; they are closed after the test. */
export interface TestServers {
  readonly upstream: FakeVllm;
  /** The encoder of the next {@link TestServers.start}. */
  selector: FakeSelector;
  readonly log: readonly LogEntry[];
  /** Starts the server and returns its URL. */
  start(options?: Partial<VllmEngineOptions>): Promise<string>;
  /** Replaces the fake vLLM server. */
  restartUpstream(options: FakeVllmOptions): Promise<void>;
  /** The body of the last request to the fake vLLM server. */
  lastBody(): Record<string, unknown>;
}

/** Call it at the top of a test file. Fails tests that send vLLM something that it must not get. */
export function useVllmServers(): TestServers {
  const log: LogEntry[] = [];
  let upstream: FakeVllm;
  let server: RunningServer | undefined;
  let selector: FakeSelector;
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
  return {
    get upstream() {
      return upstream;
    },
    get selector() {
      return selector;
    },
    set selector(value) {
      selector = value;
    },
    log,
    async start(options = {}) {
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
    },
    async restartUpstream(options) {
      await upstream.close();
      upstream = await startFakeVllm(options);
    },
    lastBody: () => upstream.requests.at(-1)?.body ?? {},
  };
}
