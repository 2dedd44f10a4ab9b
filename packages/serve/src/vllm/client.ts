// A client of a vLLM server's OpenAI-compatible API, on `fetch`: JSON, streams, one retry of a broken pooled connection.

import type { JsonObject } from '../engine.js';
import { UpstreamError, UpstreamUnavailableError } from '../errors.js';
import { DONE, readEvents } from '../sse.js';

/** Options of {@link createVllmClient}. */
export interface VllmClientOptions {
  /** Address of the server, e.g. `http://vllm:8000`, with or without `/v1`. */
  readonly baseUrl: string;
  /** The served model's name; a request that names none asks for this one. */
  readonly model: string;
  readonly apiKey?: string | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What a call may take beside the body. */
export interface CallSettings {
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
  /** Whether the server and its engine say that they are well. Never throws. */
  isHealthy(settings?: CallSettings): Promise<boolean>;
  /**
   * Sends a chat request and hands back the response, whatever its status.
   * @throws UpstreamUnavailableError if there is none.
   */
  send(body: JsonObject, settings?: CallSettings): Promise<Response>;
}

/**
 * A client of a vLLM server, for trusted code only: `--enable-mm-embeds` lets a client end the server's engine, so rows must
 * come from `imageEmbedsPart`, which checks them.
 *
 * @example
 * const client = createVllmClient({ baseUrl: 'http://127.0.0.1:8000', model: 'llava' });
 * const reply = await client.chat({ messages: [{ role: 'user', content: [imageEmbedsPart(rows), { type: 'text', text }] }] });
 */
export function createVllmClient(options: VllmClientOptions): VllmClient {
  const { model, apiKey } = options;
  const send = options.fetch ?? globalThis.fetch;
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
        // A kept connection may have been closed by the server as it was taken up; on a fresh one that is a failure.
        if (attempt === 1 && isBrokenConnection(error)) continue;
        throw new UpstreamUnavailableError(
          `No answer from the upstream server (${reasonOf(error)}). Is it running, and is its address right?`,
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

async function throwUnlessOk(response: Response): Promise<void> {
  if (!response.ok) throw new UpstreamError(response.status, await response.text());
}

const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Whether a connection that was open broke; refused and unknown hosts are not worth a second try. */
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
