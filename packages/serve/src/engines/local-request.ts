// Translates a chat request to the options of createVlm, and rejects by name what a local model cannot do.

import type { ChatJob } from '../engine.js';
import { BadRequestError } from '../errors.js';
import type { CheckedImage } from '../images/load.js';
import { type CallOverrides, type ChatBody, callOptions } from '../request/chat.js';
import { createNucleus } from './decoding.js';

/** A message in the format of a local model. */
export interface LocalMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content:
    | string
    | readonly (
        | { readonly type: 'text'; readonly text: string }
        | { readonly type: 'image'; readonly image: Blob }
      )[];
}

/** A question to a local model. */
export interface LocalRequest {
  readonly messages: readonly LocalMessage[];
  readonly maxNewTokens: number;
  readonly signal: AbortSignal;
  /** Overrides of the selection; `false` turns it off. */
  readonly mmtok: false | CallOverrides;
  /** Passed to `generate`. */
  readonly generation: Record<string, unknown>;
}

const always = (): boolean => true;

/** Fields that a local model supports or can ignore, with the values that they may have. All others are rejected. */
const SUPPORTED: Readonly<Record<string, (value: unknown) => boolean>> = {
  ...Object.fromEntries(
    [
      ...['model', 'messages', 'stream', 'stream_options', 'stop'],
      ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'seed'],
      // Metadata that clients add for themselves or their accounts.
      ...['user', 'metadata', 'store', 'service_tier', 'safety_identifier', 'prompt_cache_key'],
    ].map((field) => [field, always]),
  ),
  n: (value) => value === 1,
  tools: (value) => Array.isArray(value) && value.length === 0,
  tool_choice: (value) => value === 'none' || value === 'auto',
  parallel_tool_calls: always,
  response_format: (value) => (value as { readonly type?: unknown }).type === 'text',
  modalities: (value) => Array.isArray(value) && value.every((each) => each === 'text'),
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  logit_bias: (value) => typeof value === 'object' && Object.keys(value ?? {}).length === 0,
  presence_penalty: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
};

/** @throws BadRequestError naming what a local model cannot do. */
export function toLocalRequest(job: ChatJob, defaultMaxTokens: number): Omit<LocalRequest, 'signal'> {
  const { body, overrides } = job;
  for (const [field, value] of Object.entries(body)) {
    if (
      value === undefined ||
      value === null ||
      (Object.hasOwn(SUPPORTED, field) && SUPPORTED[field]?.(value))
    )
      continue;
    throw new BadRequestError(`The local engine does not support '${field.slice(0, 100)}'. Leave it out.`, {
      param: field.slice(0, 100),
    });
  }
  return {
    messages: toMessages(job),
    maxNewTokens: body.max_completion_tokens ?? body.max_tokens ?? defaultMaxTokens,
    mmtok: overrides === false ? false : callOptions(overrides),
    generation: generationOf(body),
  };
}

/** Greedy decoding unless the request asks for sampling; otherwise sampling from all tokens, or from the nucleus. */
function generationOf({ temperature, top_p, seed }: ChatBody): Record<string, unknown> {
  const topP = top_p ?? 1;
  if (temperature === 0 || ((temperature ?? undefined) === undefined && topP === 1))
    return { do_sample: false };
  if (seed !== undefined && seed !== null) {
    throw new BadRequestError(
      "The local engine does not support 'seed' with sampling. Leave it out, or set temperature to 0.",
      { param: 'seed' },
    );
  }
  return {
    do_sample: true,
    temperature: temperature ?? 1,
    top_k: 0,
    ...(topP < 1 && { logits_processor: [createNucleus(topP)] }),
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
