// The engine `local`: a model of transformers.js in this process, one request at a time, the others in a bounded queue.

import type { ChatJob, ChatReply, Engine, JsonObject, PruningSummary, Usage } from '../engine.js';
import { BadRequestError } from '../errors.js';
import type { CheckedImage } from '../images/load.js';
import { type CallOverrides, type ChatBody, callOptions } from '../request/chat.js';
import { eventStream } from '../sse.js';
import { meanCoverage } from '../summary.js';
import { createQueue } from './queue.js';
import { createStopText } from './stop-text.js';

/** A message as {@link LocalModel} takes it. */
export interface LocalMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content:
    | string
    | readonly (
        | { readonly type: 'text'; readonly text: string }
        | { readonly type: 'image'; readonly image: Blob }
      )[];
}

/** A question to a {@link LocalModel}. */
export interface LocalRequest {
  readonly messages: readonly LocalMessage[];
  readonly maxNewTokens: number;
  readonly signal: AbortSignal;
  /** Overrides of the selection; `false` turns it off. */
  readonly mmtok: false | CallOverrides;
  /** Passed to `generate`. */
  readonly generation: Record<string, unknown>;
}

/** An answer of a {@link LocalModel}. */
export interface LocalAnswer {
  readonly report: {
    readonly reason: string;
    readonly visionTokens: number;
    readonly keptTokens: number;
    readonly images: readonly {
      readonly visionTokens: number;
      readonly keptTokens: number;
      readonly selections: readonly { readonly coverage: Readonly<Record<string, number>> }[];
    }[];
    readonly timings: object;
  };
  readonly usage: { readonly keptPromptTokens: number; readonly newTokens: number };
  readonly finishReason: 'stop' | 'length';
}

/** What this engine needs of a model; `createVlm` of @mmtok/transformers makes one. */
export interface LocalModel {
  readonly modelId: string;
  stream(request: LocalRequest): AsyncIterable<string> & { readonly answer: Promise<LocalAnswer> };
  dispose(): Promise<void>;
}

/** Options of {@link createLocalEngine}. */
export interface LocalEngineOptions {
  /** The model; the engine disposes of it. */
  readonly model: LocalModel;
  /** Its name for clients. @default the model's id */
  readonly servedName?: string | undefined;
  /** Requests that may wait while one runs; more are answered 429. @default 32 */
  readonly queueLimit?: number | undefined;
  /** Tokens of an answer where the request names no bound. @default 512 */
  readonly defaultMaxTokens?: number | undefined;
}

/** An engine around a model in this process. */
export function createLocalEngine(options: LocalEngineOptions): Engine {
  const { model, queueLimit = 32, defaultMaxTokens = 512 } = options;
  const modelId = options.servedName ?? model.modelId;
  const queue = createQueue({ concurrency: 1, limit: queueLimit });

  return {
    name: 'local',
    modelId,
    readiness: () => ({ ready: true }),
    load: () => ({ running: queue.running, queued: queue.queued }),
    close: () => model.dispose(),
    async chat(job, signal) {
      const request = toLocalRequest(job, defaultMaxTokens);
      const slot = await queue.acquire(signal);
      const answer = generate(model, job, request, signal, slot.release);
      try {
        if (job.body.stream === true) return await streamed(answer, job, modelId);
        return await collected(answer, job, modelId);
      } catch (error) {
        await answer.return(undefined as never);
        throw error;
      }
    },
  };
}

interface End {
  readonly finishReason: 'stop' | 'length';
  readonly usage: Usage;
  readonly summary: PruningSummary;
}

/** The pieces of an answer, and how it ended. Gives the slot back however it is left. */
async function* generate(
  model: LocalModel,
  job: ChatJob,
  request: Omit<LocalRequest, 'signal'>,
  outer: AbortSignal,
  release: () => void,
): AsyncGenerator<string, End> {
  const ending = new AbortController();
  const leave = (): void => ending.abort(outer.reason);
  outer.addEventListener('abort', leave, { once: true });
  if (outer.aborted) leave();
  const stop = createStopText(stopsOf(job.body));
  try {
    const stream = model.stream({
      ...request,
      signal: ending.signal,
      // Called after each token; the text that it stands for has been pushed by then or will be by the next.
      generation: {
        ...request.generation,
        stopping_criteria: [(ids: readonly unknown[]) => ids.map(() => stop.stopped)],
      },
    });
    stream.answer.catch(() => undefined);
    for await (const piece of stream) {
      const text = stop.push(piece);
      if (text !== '') yield text;
    }
    const rest = stop.end();
    if (rest !== '') yield rest;
    const { report, usage, finishReason } = await stream.answer;
    const end: End = {
      finishReason: stop.stopped ? 'stop' : finishReason,
      usage: {
        prompt_tokens: usage.keptPromptTokens,
        completion_tokens: usage.newTokens,
        total_tokens: usage.keptPromptTokens + usage.newTokens,
      },
      summary: summarize(report),
    };
    job.observe(end);
    return end;
  } finally {
    outer.removeEventListener('abort', leave);
    ending.abort();
    release();
  }
}

/** The whole answer as `chat.completion`. */
async function collected(
  answer: AsyncGenerator<string, End>,
  job: ChatJob,
  model: string,
): Promise<ChatReply> {
  let content = '';
  for (;;) {
    const step = await answer.next();
    if (step.done !== true) {
      content += step.value;
      continue;
    }
    const { finishReason, usage } = step.value;
    const message = { role: 'assistant', content, refusal: null };
    const choice = { index: 0, message, logprobs: null, finish_reason: finishReason };
    return { kind: 'json', body: { ...head(job, model, 'chat.completion'), choices: [choice], usage } };
  }
}

/** The answer as events; the first piece is waited for, so that what fails before it has a status of its own. */
async function streamed(
  answer: AsyncGenerator<string, End>,
  job: ChatJob,
  model: string,
): Promise<ChatReply> {
  const first = await answer.next();
  const withUsage = job.body.stream_options?.include_usage === true;
  const common = head(job, model, 'chat.completion.chunk');
  const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
    ...common,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(withUsage && { usage: null }),
  });
  async function* chunks(): AsyncGenerator<JsonObject> {
    try {
      yield chunk({ role: 'assistant', content: '' });
      let step = first;
      while (step.done !== true) {
        yield chunk({ content: step.value });
        step = await answer.next();
      }
      const { finishReason, usage, summary } = step.value;
      yield { ...chunk({}, finishReason), mmtok: summary };
      if (withUsage) yield { ...common, choices: [], usage };
    } finally {
      await answer.return(undefined as never);
    }
  }
  return { kind: 'events', events: eventStream(chunks()) };
}

const head = ({ id }: ChatJob, model: string, object: string): JsonObject => ({
  id,
  object,
  created: Math.floor(Date.now() / 1000),
  model,
});

function summarize(report: LocalAnswer['report']): PruningSummary {
  const { reason, visionTokens, keptTokens, images, timings } = report;
  const numbers = Object.entries(timings).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return {
    reason,
    visionTokens,
    keptTokens,
    coverage: meanCoverage(images),
    images: images.map((image) => ({ visionTokens: image.visionTokens, keptTokens: image.keptTokens })),
    timings: Object.fromEntries(numbers),
  };
}

const stopsOf = ({ stop }: ChatBody): readonly string[] => (typeof stop === 'string' ? [stop] : (stop ?? []));

/** Fields that ask for what a local model cannot do, with the values that ask for nothing. */
const UNSUPPORTED: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  tools: (value) => Array.isArray(value) && value.length === 0,
  tool_choice: (value) => value === 'none' || value === 'auto',
  functions: () => false,
  response_format: (value) => (value as { readonly type?: unknown }).type === 'text',
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  logit_bias: (value) => typeof value === 'object' && Object.keys(value ?? {}).length === 0,
  presence_penalty: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
  top_p: (value) => value === 1,
  audio: () => false,
};

/** @throws BadRequestError for what a local model cannot do. */
function toLocalRequest(job: ChatJob, defaultMaxTokens: number): Omit<LocalRequest, 'signal'> {
  const { body, overrides } = job;
  for (const [field, asksNothing] of Object.entries(UNSUPPORTED)) {
    const value = body[field];
    if (value === undefined || value === null || asksNothing(value)) continue;
    throw new BadRequestError(`The local engine does not support '${field}'. Leave it out.`, {
      param: field,
    });
  }
  const { temperature } = body;
  const isGreedy = temperature === undefined || temperature === null || temperature === 0;
  return {
    messages: toMessages(job),
    maxNewTokens: body.max_completion_tokens ?? body.max_tokens ?? defaultMaxTokens,
    mmtok: overrides === false ? false : callOptions(overrides),
    generation: isGreedy ? { do_sample: false } : { do_sample: true, temperature },
  };
}

/** @throws BadRequestError for messages of tools. */
function toMessages({ body, images }: ChatJob): readonly LocalMessage[] {
  let next = 0;
  return body.messages.map(({ role, content, tool_calls }, index): LocalMessage => {
    if (role === 'tool' || (Array.isArray(tool_calls) && tool_calls.length > 0)) {
      throw new BadRequestError('The local engine does not support tools.', { param: `messages[${index}]` });
    }
    const common = role === 'developer' ? 'system' : role;
    if (typeof content === 'string') return { role: common, content };
    return {
      role: common,
      content: (content ?? []).map((part) => {
        if (part.type === 'image_url') return { type: 'image', image: toBlob(images[next++]!) };
        return { type: 'text', text: part.type === 'text' ? part.text : part.refusal };
      }),
    };
  });
}

const toBlob = ({ bytes, mediaType }: CheckedImage): Blob =>
  new Blob([bytes as Uint8Array<ArrayBuffer>], { type: mediaType });
