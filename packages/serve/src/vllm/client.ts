// A client of a vLLM server's OpenAI-compatible API, on `fetch`: JSON, streams, one retry of a broken pooled connection.

import { Agent, fetch as undiciFetch } from 'undici';
import type { JsonObject } from '../engine.js';
import { UpstreamError, UpstreamUnavailableError } from '../errors.js';
import { DONE, readEvents } from '../sse.js';

/** Options of {@link createVllmClient}. */
export interface VllmClientOptions {
  /** Address of the server, e.g. `http://vllm:8000`, with or without `/v1`. */
  readonly baseUrl: string;
  /** Name of the served model, for requests that do not name one. */
  readonly model: string;
  readonly apiKey?: string | undefined;
  /**
   * @default `fetch` of undici, without its own time limit for calls that have a `signal`. The global `fetch` of Node gives up
   * after 300 seconds without an answer, or without the next part of one, whatever the signal says.
   */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** Settings of a call. */
export interface CallSettings {
  /** Limits the time of the call. @default the call fails after 300 seconds of silence */
  readonly signal?: AbortSignal | undefined;
}

/** A client of one vLLM server. */
export interface VllmClient {
  readonly model: string;
  /**
   * Asks and waits for the whole answer. Messages may hold parts made by `imageEmbedsPart` and `promptEmbedsPart`.
   * @throws UpstreamError with the server's status and text; UpstreamUnavailableError if it cannot be reached.
   */
  chat(body: JsonObject, settings?: CallSettings): Promise<JsonObject>;
  /** Asks and yields the chunks of the answer. Throws as {@link VllmClient.chat} does, also when the stream is cut. */
  stream(body: JsonObject, settings?: CallSettings): AsyncGenerator<JsonObject>;
  /** The names of the served models. */
  models(settings?: CallSettings): Promise<readonly string[]>;
  /** Whether the server and its engine are healthy. Never throws. */
  isHealthy(settings?: CallSettings): Promise<boolean>;
  /**
   * Sends a chat request and returns the response, whatever its status.
   * @throws UpstreamUnavailableError if there is no response.
   */
  send(body: JsonObject, settings?: CallSettings): Promise<Response>;
}

/**
 * A client of a vLLM server, for trusted code only: `--enable-mm-embeds` lets a client crash the server's engine, so rows must
 * come from `imageEmbedsPart`, which checks them.
 *
 * @example
 * const client = createVllmClient({ baseUrl: 'http://127.0.0.1:8000', model: 'llava' });
 * const reply = await client.chat({ messages: [{ role: 'user', content: [imageEmbedsPart(rows), { type: 'text', text }] }] });
 */
export function createVllmClient(options: VllmClientOptions): VllmClient {
  const { model, apiKey } = options;
  const send = options.fetch ?? createFetch();
  const root = options.baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '');
  const headers = {
    'content-type': 'application/json',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  };

  const request = async (path: string, init: RequestInit): Promise<Response> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(root + path, { ...init, headers, redirect: 'error' });
      } catch (error) {
        if (init.signal?.aborted) throw init.signal.reason;
        // The server may have closed a pooled connection just as it was reused. A second failure is reported.
        if (attempt === 1 && isBrokenConnection(error)) continue;
        throw new UpstreamUnavailableError(
          `No answer from the upstream server (${reasonOf(error)}). Check that it is running and that its address is right.`,
          { cause: error, retryAfter: 5 },
        );
      }
    }
  };
  const chat = (body: JsonObject, { signal }: CallSettings): Promise<Response> =>
    request('/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ model, ...body }),
      signal: signal ?? null,
    });

  return {
    model,
    send: (body, settings = {}) => chat(body, settings),
    async chat(body, settings = {}) {
      const response = await chat({ ...body, stream: false }, settings);
      await throwUnlessOk(response);
      return (await response.json()) as JsonObject;
    },
    async *stream(body, settings = {}) {
      const response = await chat({ ...body, stream: true }, settings);
      await throwUnlessOk(response);
      if (response.body === null) throw new UpstreamError(502, 'an empty stream');
      for await (const data of readEvents(response.body)) {
        if (data === DONE) return;
        const chunk = JSON.parse(data) as JsonObject;
        if ('error' in chunk) throw new UpstreamError(502, JSON.stringify(chunk));
        yield chunk;
      }
      throw new UpstreamUnavailableError('The upstream server ended its stream early.', { status: 502 });
    },
    async models({ signal } = {}) {
      const response = await request('/v1/models', { signal: signal ?? null });
      await throwUnlessOk(response);
      const { data = [] } = (await response.json()) as { data?: readonly { readonly id: string }[] };
      return data.map(({ id }) => id);
    },
    async isHealthy({ signal } = {}) {
      try {
        const response = await request('/health', { signal: signal ?? AbortSignal.timeout(5000) });
        await response.arrayBuffer();
        return response.ok;
      } catch {
        return false;
      }
    },
  };
}

/** `fetch` that leaves the time limit of a call to its signal, and keeps undici's limit for calls without one. */
function createFetch(): typeof globalThis.fetch {
  const patient = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  // undici's own fetch: an agent of another version than the one built into Node may not fit the global fetch.
  const send = undiciFetch as unknown as (url: string, init: object) => Promise<Response>;
  return (url, init) => send(String(url), { ...init, ...(init?.signal && { dispatcher: patient }) });
}

async function throwUnlessOk(response: Response): Promise<void> {
  if (!response.ok) throw new UpstreamError(response.status, await response.text());
}

const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Whether an open connection failed. Refused connections and unknown hosts are not retried. */
function isBrokenConnection(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return [error, cause].some(
    (each) => typeof each === 'object' && each !== null && BROKEN.has((each as { code?: string }).code ?? ''),
  );
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return (cause as { code?: string }).code ?? (cause instanceof Error ? cause.message : String(cause));
}
