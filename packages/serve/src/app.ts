// The HTTP API: routes, checks, and answers in OpenAI's formats.

import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import type { ChatJob, ChatReply, PruningSummary, Usage } from './engine.js';
import {
  BadRequestError,
  BusyError,
  ClientGoneError,
  errorBody,
  ServeError,
  statusOf,
  TimeoutError,
} from './errors.js';
import { loadImages } from './images/load.js';
import { createMetrics, describeError, type Log, logToStdout } from './observe.js';
import type { CheckedServerOptions } from './options.js';
import { checkLocalHost, createKeyCheck } from './request/auth.js';
import { readJson } from './request/body.js';
import { parseChat } from './request/chat.js';
import { encodeEvent } from './sse.js';

/** The app, and what the surrounding server needs from it. */
export interface App {
  fetch(request: Request): Promise<Response>;
  /** From now on, `/ready` returns 503 and connections are not kept alive. */
  drain(): void;
}

/** What the log entry of a request adds to the common fields. */
interface Seen {
  summary?: PruningSummary;
  usage?: Usage;
  images?: number;
  stream?: boolean;
}

const CHAT = '/v1/chat/completions';

/** Builds the app around its engine. */
export function createApp(options: CheckedServerOptions): App {
  const { engine, limits, log = logToStdout } = options;
  const metrics = createMetrics(engine);
  const checkKey = createKeyCheck(options.apiKey);
  const started = Math.floor(Date.now() / 1000);
  let isDraining = false;
  let inFlight = 0;
  let bytesInFlight = 0;

  const answerChat = async (request: Request, id: string, seen: Seen): Promise<Response> => {
    if (inFlight >= limits.requests) {
      throw new BusyError(
        `${inFlight} requests are in flight, the most this server accepts. Try again later.`,
        1,
      );
    }
    // A body without a length may become as large as the limit.
    const bytes = Math.min(
      Number(request.headers.get('content-length') ?? limits.bodyBytes),
      limits.bodyBytes,
    );
    if (bytesInFlight > 0 && bytesInFlight + bytes > limits.totalBodyBytes) {
      throw new BusyError(
        'The bodies of the requests in flight fill the memory set aside for them. Try again later.',
        1,
      );
    }
    inFlight += 1;
    bytesInFlight += bytes;
    // One controller, not AbortSignal.any(): Node keeps joined signals alive while anything listens to them.
    const ending = new AbortController();
    const { signal } = ending;
    const leave = (): void => ending.abort(request.signal.reason);
    request.signal.addEventListener('abort', leave, { once: true });
    if (request.signal.aborted) leave();
    const timer = setTimeout(() => {
      ending.abort(new TimeoutError(`The request took longer than ${limits.requestMs} ms.`));
    }, limits.requestMs);
    const end = once(() => {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', leave);
      inFlight -= 1;
      bytesInFlight -= bytes;
    });
    try {
      const { body, overrides, images: sources } = parseChat(await readJson(request, limits), limits);
      seen.images = sources.length;
      seen.stream = body.stream === true;
      if (body.model !== engine.modelId) {
        throw new BadRequestError(
          `The model '${body.model.slice(0, 200)}' is not served here. Use '${engine.modelId}'.`,
          {
            status: 404,
            param: 'model',
          },
        );
      }
      const images = await loadImages(sources, { bounds: limits, remote: options.remoteImages, signal });
      const job: ChatJob = {
        id,
        body,
        images,
        overrides,
        observe: ({ summary, usage }) => {
          if (summary !== undefined) {
            seen.summary = summary;
            metrics.pruned(summary);
          }
          if (usage !== undefined) {
            seen.usage = usage;
            metrics.used(usage);
          }
        },
      };
      const reply = await engine.chat(job, signal);
      if (reply.kind === 'events') return eventsResponse(reply.events, signal, seen, end);
      end();
      return plainResponse(reply, seen);
    } catch (error) {
      end();
      throw signal.aborted ? signal.reason : error;
    }
  };

  const app = new Hono();
  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.get('/ready', (context) => {
    const { ready, reason } = isDraining
      ? { ready: false, reason: 'the server is shutting down' }
      : engine.readiness();
    return context.json({ ready, reason }, ready ? 200 : 503);
  });
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  const model = { id: engine.modelId, object: 'model', created: started, owned_by: 'mmtok' };
  app.get('/v1/models', (context) => context.json({ object: 'list', data: [model] }));
  app.get('/v1/models/:id{.+}', (context) => {
    if (context.req.param('id') === engine.modelId) return context.json(model);
    throw new BadRequestError(`This model is not served here. Use '${engine.modelId}'.`, {
      status: 404,
    });
  });
  const routes = new Set(['/health', '/ready', '/metrics', '/v1/models', CHAT]);
  app.notFound(() => {
    throw new BadRequestError('Unknown path. Send chat requests to POST /v1/chat/completions.', {
      status: 404,
    });
  });
  app.onError((error) => {
    throw error;
  });

  const answer = async (request: Request, path: string, id: string, seen: Seen): Promise<Response> => {
    if (options.isLocal && options.apiKey === undefined) checkLocalHost(request);
    if (path.startsWith('/v1/')) checkKey(request);
    if (path !== CHAT) return await app.fetch(request);
    if (request.method === 'POST') return await answerChat(request, id, seen);
    throw new BadRequestError(`Expected POST, got ${request.method}.`, { status: 405 });
  };

  return {
    drain() {
      isDraining = true;
    },
    async fetch(request) {
      const began = performance.now();
      const id = `chatcmpl-${randomUUID().replaceAll('-', '')}`;
      const path = new URL(request.url).pathname;
      const seen: Seen = {};
      let failure: unknown;
      const response = await answer(request, path, id, seen).catch((error: unknown) => {
        failure = request.signal.aborted ? new ClientGoneError() : error;
        return errorResponse(failure);
      });
      response.headers.set('x-request-id', id);
      if (isDraining) response.headers.set('connection', 'close');
      const finish = once(() => {
        const ms = performance.now() - began;
        metrics.request(routes.has(path) ? path : 'other', response.status, ms / 1000);
        if (path === CHAT || failure !== undefined) {
          logRequest(log, { id, path, method: request.method, status: response.status, ms, seen, failure });
        }
      });
      return whenSent(response, finish);
    },
  };
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    action();
  };
}

interface RequestRecord {
  readonly id: string;
  readonly path: string;
  readonly method: string;
  readonly status: number;
  readonly ms: number;
  readonly seen: Seen;
  readonly failure: unknown;
}

function logRequest(log: Log, { seen, failure, ms, path, ...record }: RequestRecord): void {
  const { summary, usage, images, stream } = seen;
  log({
    level: record.status < 400 ? 'info' : record.status < 500 ? 'warn' : 'error',
    event: 'request',
    ...record,
    path: path.slice(0, 100),
    ms: Math.round(ms),
    images,
    stream,
    visionTokens: summary?.visionTokens,
    keptTokens: summary?.keptTokens,
    timings: summary?.timings,
    promptTokens: usage?.prompt_tokens,
    completionTokens: usage?.completion_tokens,
    ...(failure !== undefined && describeError(failure)),
  });
}

function errorResponse(error: unknown): Response {
  const status = statusOf(error);
  const retryAfter = error instanceof ServeError ? error.retryAfter : undefined;
  return new Response(JSON.stringify(errorBody(error)), {
    status,
    headers: {
      'content-type': 'application/json',
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(status === 405 && { allow: 'POST' }),
      // Otherwise the unread rest of the body would be parsed as the next request.
      ...((status === 408 || status === 413) && { connection: 'close' }),
    },
  });
}

function plainResponse(reply: Exclude<ChatReply, { kind: 'events' }>, { summary }: Seen): Response {
  const headers = summary === undefined ? {} : { 'x-mmtok': summaryHeader(summary) };
  if (reply.kind === 'raw') {
    return new Response(reply.body, { status: reply.status, headers: { ...reply.headers, ...headers } });
  }
  return new Response(
    JSON.stringify(summary === undefined ? reply.body : { ...reply.body, mmtok: summary }),
    {
      headers: { 'content-type': 'application/json', ...headers },
    },
  );
}

/** A stream of events that ends on abort. Calls `end` once, when it is over or the client has left. */
function eventsResponse(
  events: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  { summary }: Seen,
  end: () => void,
): Response {
  const reader = events.getReader();
  let onAbort = (): void => undefined;
  let isOver = false;
  const finish = (): void => {
    isOver = true;
    signal.removeEventListener('abort', onAbort);
    end();
  };
  const fail = (controller: ReadableStreamDefaultController<Uint8Array>, error: unknown): void => {
    if (isOver) return;
    finish();
    controller.enqueue(encodeEvent(errorBody(error)));
    controller.close();
    reader.cancel(error).catch(() => undefined);
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // Nothing is pulled while a client does not read. It must not hold the engine beyond the time limit.
      onAbort = () => fail(controller, signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (isOver) return;
        if (!done) return controller.enqueue(value);
        finish();
        controller.close();
      } catch (error) {
        fail(controller, error);
      }
    },
    async cancel(reason) {
      finish();
      await reader.cancel(reason);
    },
  });
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      ...(summary !== undefined && { 'x-mmtok': summaryHeader(summary) }),
    },
  });
}

/** The header `x-mmtok`: a dictionary of structured field values. */
function summaryHeader({ reason, visionTokens, keptTokens, coverage = {}, timings }: PruningSummary): string {
  const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const entries: readonly (readonly [string, string])[] = [
    ['reason', kebab(reason)],
    ['vision-tokens', String(visionTokens)],
    ['kept-tokens', String(keptTokens)],
    ...Object.entries(coverage).map(
      ([term, share]) => [`coverage-${kebab(term)}`, share.toFixed(4)] as const,
    ),
    ...Object.entries(timings).map(([stage, ms]) => [kebab(stage), ms.toFixed(1)] as const),
  ];
  return entries
    .filter(([name]) => /^[a-z][a-z0-9_.*-]*$/.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** Calls `finish` once the body has been read to its end or abandoned. */
function whenSent(response: Response, finish: () => void): Response {
  if (
    response.headers.get('content-type')?.startsWith('text/event-stream') !== true ||
    response.body === null
  ) {
    finish();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      finish();
      controller.close();
    },
    async cancel(reason) {
      finish();
      await reader.cancel(reason);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}
