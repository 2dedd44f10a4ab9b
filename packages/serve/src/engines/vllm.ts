// The engine `vllm`: encodes images and selects tokens here, sends the kept rows to a vLLM server, and passes the rest through.

import type { ChatJob, ChatReply, Engine, JsonObject, PruningSummary, Usage } from '../engine.js';
import { BadRequestError, errorBody, ServeStartError, UpstreamUnavailableError } from '../errors.js';
import { toDataUri } from '../images/load.js';
import type { Log } from '../observe.js';
import { replaceImages } from '../request/chat.js';
import type { SelectedImage, SelectedImages, VisionSelector } from '../selector/selector.js';
import { encodeEvent } from '../sse.js';
import type { VllmClient } from '../vllm/client.js';
import { imageEmbedsPart, promptEmbedsPart } from '../vllm/parts.js';
import { type Breaker, createBreaker } from './breaker.js';
import { probe } from './probe.js';
import { createQueue } from './queue.js';

/** Options of {@link createVllmEngine}. */
export interface VllmEngineOptions {
  /** A client of the upstream server. `client.model` is the name under which it serves the model. */
  readonly client: VllmClient;
  /** Encodes images with the weights of the served checkpoint. The engine disposes of it. */
  readonly selector: VisionSelector;
  /**
   * What to do for families whose rows need a grid (Qwen-VL). vLLM places kept rows on a line, and their positions in the image
   * are lost: refuse to start, or send them anyway. @default 'refuse'
   */
  readonly grid?: 'refuse' | 'line' | undefined;
  /** Half precision of the rows. @default 'bfloat16' */
  readonly dtype?: 'bfloat16' | 'float16' | undefined;
  /**
   * At startup, one small image is sent both as an image and as rows, and the answers are compared. `'warn'` only logs a
   * difference. `'off'` is for servers that accept only rows (`--limit-mm-per-prompt '{"image":0}'`). @default 'strict'
   */
  readonly probe?: 'strict' | 'warn' | 'off' | undefined;
  /** Requests that are encoded at the same time. @default 1 */
  readonly concurrency?: number | undefined;
  /** Requests that may wait to be encoded; further ones get 429. @default 32 */
  readonly queueLimit?: number | undefined;
  /** Milliseconds between health checks of the upstream server. @default 5000 */
  readonly retryMs?: number | undefined;
  readonly log?: Log | undefined;
}

/**
 * An engine in front of a vLLM server, which needs `--enable-mm-embeds` (or `--enable-prompt-embeds`, depending on the family's
 * route). At startup, it checks that the server has the model and gives the same answer for rows as for the image.
 * @throws ServeStartError if not, or if the family needs a grid and `grid` is `'refuse'`; UpstreamUnavailableError.
 */
export async function createVllmEngine(options: VllmEngineOptions): Promise<Engine> {
  const { client, selector, dtype, grid = 'refuse', retryMs = 5000, log = () => undefined } = options;
  const { route, hiddenSize, family } = selector;
  if ('merge' in route && grid === 'refuse') {
    throw new ServeStartError(
      'usage',
      `Models of the family ${family} need a grid of positions, and vLLM would place the kept rows on a line instead of where ` +
        "they were in the image. What that costs in answers is unknown. Set grid: 'line' to send them anyway.",
    );
  }
  const models = await client.models();
  if (!models.includes(client.model)) {
    throw new ServeStartError(
      'usage',
      `The upstream server does not serve '${client.model}'. It serves ${models.map((name) => `'${name}'`).join(', ')}.`,
    );
  }
  const queue = createQueue({ concurrency: options.concurrency ?? 1, limit: options.queueLimit ?? 32 });
  const breaker = createBreaker({
    isHealthy: () => client.isHealthy(),
    retryMs,
    onChange: (isOpen) =>
      log({ level: isOpen ? 'error' : 'info', event: isOpen ? 'upstream-down' : 'upstream-up' }),
  });
  let forwarded = 0;

  const toParts = ({ rows }: SelectedImage): readonly unknown[] => {
    if (route.part === 'prompt_embeds') {
      return [
        { type: 'text', text: route.before },
        promptEmbedsPart(rows, { dtype, hiddenSize }),
        { type: 'text', text: route.after },
      ].filter((part) => !('text' in part) || part.text !== '');
    }
    if (!('merge' in route)) return [imageEmbedsPart(rows, { dtype, hiddenSize })];
    const { merge } = route;
    const line = [1, merge, merge * (rows.dims[0] ?? 0)] as const;
    return [imageEmbedsPart(rows, { dtype, hiddenSize, merge, grid: line })];
  };
  /** The request's messages with rows instead of images, and what the selection did. */
  const select = async (
    { images, body, overrides }: Pick<ChatJob, 'images' | 'body' | 'overrides'>,
    signal: AbortSignal,
  ): Promise<{ readonly messages: readonly unknown[]; readonly selected: SelectedImages }> => {
    const slot = await queue.acquire(signal);
    try {
      const selected = await selector.select(images, body.messages, { overrides, signal });
      signal.throwIfAborted();
      const parts = selected.images.map(toParts);
      return { messages: replaceImages(body.messages, (image) => parts[image] ?? []), selected };
    } finally {
      slot.release();
    }
  };
  if (options.probe !== 'off') {
    await probe({ client, side: selector.imageSide ?? 224, select, isStrict: options.probe !== 'warn', log });
  }

  return {
    name: 'vllm',
    modelId: client.model,
    readiness: () =>
      breaker.isOpen ? { ready: false, reason: 'the upstream server is down' } : { ready: true },
    load: () => ({ running: queue.running + forwarded, queued: queue.queued }),
    async close() {
      breaker.close();
      await selector.dispose();
    },
    async chat(job, signal) {
      breaker.check();
      selector.checkPrompt?.(job.body);
      const messages = await (async () => {
        if (job.images.length === 0) return job.body.messages;
        if (job.overrides === false) return wholeImages(job);
        const { messages, selected } = await select(job, signal);
        job.observe({ summary: summarize(selected) });
        return messages;
      })();
      forwarded += 1;
      const onEnd = (): void => {
        forwarded -= 1;
      };
      try {
        const response = await client.send({ ...job.body, messages }, { signal });
        const reply = await passThrough(response, { job, breaker, onEnd });
        if (reply.kind !== 'events') onEnd();
        return reply;
      } catch (error) {
        onEnd();
        if (error instanceof UpstreamUnavailableError) await breaker.failed();
        throw error;
      }
    },
  };
}

/** The messages with the checked images as data URIs, so that the upstream server fetches nothing. */
function wholeImages({ body, images }: ChatJob): readonly unknown[] {
  return replaceImages(body.messages, (image) => {
    const checked = images[image];
    if (checked === undefined) throw new BadRequestError('An image is missing.');
    return [{ type: 'image_url', image_url: { url: toDataUri(checked) } }];
  });
}

function summarize({ reason, images, coverage, timings }: SelectedImages): PruningSummary {
  const sum = (key: 'visionTokens' | 'keptTokens'): number =>
    images.reduce((total, image) => total + image[key], 0);
  return {
    reason,
    visionTokens: sum('visionTokens'),
    keptTokens: sum('keptTokens'),
    coverage,
    images: images.map(({ visionTokens, keptTokens }) => ({ visionTokens, keptTokens })),
    timings: { ...timings },
  };
}

interface PassSettings {
  readonly job: ChatJob;
  readonly breaker: Breaker;
  /** Called once at the end of a stream. */
  readonly onEnd: () => void;
}

/** The upstream server's answer: errors unchanged, JSON for the app to add `mmtok` to, streams byte for byte. */
async function passThrough(response: Response, settings: PassSettings): Promise<ChatReply> {
  const { job, breaker } = settings;
  const type = response.headers.get('content-type') ?? 'application/json';
  if (response.ok && type.startsWith('text/event-stream') && response.body !== null) {
    return { kind: 'events', events: whole(response.body, settings) };
  }
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel();
    // This server's key was rejected, not the client's, so the client cannot fix it.
    throw new UpstreamUnavailableError(
      `The upstream server answered ${response.status} to this server's API key.`,
      { status: 502 },
    );
  }
  const body = await response.text().catch((error: unknown) => {
    throw new UpstreamUnavailableError("The upstream server's answer was cut off.", {
      status: 502,
      cause: error,
    });
  });
  if (response.status >= 500) await breaker.failed();
  const json = response.ok ? parseObject(body) : undefined;
  if (json === undefined) {
    const retryAfter = response.headers.get('retry-after');
    const headers = { 'content-type': type, ...(retryAfter !== null && { 'retry-after': retryAfter }) };
    return { kind: 'raw', status: response.status, body, headers };
  }
  if (isUsage(json.usage)) job.observe({ usage: json.usage });
  return { kind: 'json', body: json };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

const isUsage = (value: unknown): value is Usage =>
  typeof (value as Usage | null | undefined)?.prompt_tokens === 'number' &&
  typeof (value as Usage).completion_tokens === 'number';

/** The bytes of a stream, split into whole events. A stream that is cut off ends with an error event. */
function whole(
  stream: ReadableStream<Uint8Array>,
  { job, breaker, onEnd }: PassSettings,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  /** The beginning of an event whose end has not arrived yet. */
  let rest: Buffer = Buffer.alloc(0);
  // Long enough for the last two events: the usage, if requested, and the end marker.
  let tail = '';
  let isCancelled = false;
  const wholeEvents = (bytes: Uint8Array): Buffer => {
    const all = Buffer.concat([rest, bytes]);
    const [lf, crlf] = [all.lastIndexOf('\n\n'), all.lastIndexOf('\r\n\r\n')];
    const end = Math.max(lf < 0 ? 0 : lf + 2, crlf < 0 ? 0 : crlf + 4);
    rest = all.subarray(end);
    return all.subarray(0, end);
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          const events = wholeEvents(value);
          if (events.length === 0) continue;
          tail = (tail + events.toString('latin1', Math.max(0, events.length - 4096))).slice(-4096);
          return controller.enqueue(events);
        }
      } catch {
        tail = '';
      }
      if (isCancelled) return;
      onEnd();
      // At the beginning of a line, because the text of an answer may also contain it.
      if (/(?:^|\n)data: \[DONE\]\s*$/.test(tail)) {
        const usage = usageIn(tail);
        if (usage !== undefined) job.observe({ usage });
      } else {
        const message = 'The upstream server ended its stream early.';
        controller.enqueue(encodeEvent(errorBody(new UpstreamUnavailableError(message))));
        await breaker.failed();
      }
      controller.close();
    },
    async cancel(reason) {
      isCancelled = true;
      onEnd();
      await reader.cancel(reason);
    },
  });
}

/** The usage in the last event of a stream that has one. */
function usageIn(tail: string): Usage | undefined {
  const events = tail.split('\n').filter((line) => line.startsWith('data: {'));
  const usages = events.map((line) => parseObject(line.slice('data: '.length))?.usage);
  return usages.filter(isUsage).at(-1);
}
