// A server with the engine `local` around a fake model, for each test of a file.

import { afterEach } from 'vitest';
import {
  createLocalEngine,
  type LogEntry,
  type RunningServer,
  type ServerOptions,
  startServer,
} from '../../src/index.js';
import { type FakeModel, imageAnd } from './fakes.js';

/** The question of {@link ask}. */
export const question = 'what color is the sky today';

/** Asks a server about an image; `body` overrides fields of the request. */
export const ask = (url: string, body: object = {}, init: RequestInit = {}): Promise<Response> =>
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

/** The server of the test that is running; it is closed after the test. */
export interface TestServer {
  /** Starts it and returns its URL. */
  start(model: FakeModel, options?: Partial<ServerOptions> & { queueLimit?: number }): Promise<string>;
  close(): Promise<void>;
  readonly log: readonly LogEntry[];
}

/** Call it at the top of a test file. */
export function useLocalServer(): TestServer {
  let server: RunningServer | undefined;
  const log: LogEntry[] = [];
  const close = async (): Promise<void> => await server?.close();
  afterEach(async () => {
    await close();
    server = undefined;
    log.length = 0;
  });
  return {
    async start(model, { queueLimit, ...options } = {}) {
      server = await startServer({
        engine: createLocalEngine({ model, queueLimit }),
        port: 0,
        log: (entry) => log.push(entry),
        ...options,
      });
      return server.url;
    },
    close,
    log,
  };
}
