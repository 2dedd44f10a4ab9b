// The engine `local`: a transformers.js model in this process. Requests run one at a time; the others wait in a bounded queue.

import {
  type ChatJob,
  type ChatReply,
  type Engine,
  type JsonObject,
  meanCoverage,
  type PruningSummary,
  type Usage,
} from '../engine.js';
import type { ChatBody } from '../request/chat.js';
import { createPromptCheck, type PromptRules } from '../request/prompt-check.js';
import { eventStream } from '../sse.js';
import { createStopText } from './decoding.js';
import { type LocalRequest, toLocalRequest } from './local-request.js';
import { createQueue } from './queue.js';

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

/** What this engine needs from a model; `createVlm` of @mmtok/transformers makes one. */
export interface LocalModel {
  readonly modelId: string;
  /** If given, texts that are longer than the model's context or contain image placeholders are rejected. */
  readonly model?: { readonly config: object };
  readonly processor?: { readonly tokenizer?: PromptRules['tokenizer'] };
  stream(request: LocalRequest): AsyncIterable<string> & { readonly answer: Promise<LocalAnswer> };
  dispose(): Promise<void>;
}

/** Options of {@link createLocalEngine}. */
export interface LocalEngineOptions {
  /** The model. The engine disposes of it. */
  readonly model: LocalModel;
  /** Its name for clients. @default the model's id */
  readonly servedName?: string | undefined;
  /** Requests that may wait while one runs; further ones get 429. @default 32 */
  readonly queueLimit?: number | undefined;
  /** Tokens per answer if the request sets no limit. @default 512 */
  readonly defaultMaxTokens?: number | undefined;
}

/** An engine around a model in this process. */
export function createLocalEngine(options: LocalEngineOptions): Engine {
  const { model, queueLimit = 32, defaultMaxTokens = 512 } = options;
  const modelId = options.servedName ?? model.modelId;
  const queue = createQueue({ concurrency: 1, limit: queueLimit });
  const checkPrompt = createPromptCheck({
    config: model.model?.config,
    tokenizer: model.processor?.tokenizer,
  });

  return {
    name: 'local',
    modelId,
    readiness: () => ({ ready: true }),
    load: () => ({ running: queue.running, queued: queue.queued }),
    close: () => model.dispose(),
    async chat(job, signal) {
      const request = toLocalRequest(job, defaultMaxTokens);
      checkPrompt(job.body);
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

/** The pieces of an answer, and how it ended. Releases the slot in any case. */
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
      // Called after each token. Its text has been pushed by then, or will be with the next token.
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

/** The answer as events. The first piece is awaited, so that an earlier failure gets its own status code. */
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
