// Requests to a model: their types, their schema, and how they resolve to a conversation and images.

import { InvalidBudgetError, InvalidOptionsError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { PromptMessage, PromptPart } from '../families/prompt-text.js';
import { readable, shown } from '../internal/values.js';
import type { CallOptions } from '../options.js';
import type { PromptBudget } from '../select/pools.js';
import { IMAGE_INPUT, type ImageInput, isImageInput } from './images.js';

/** Encode and keep as many tokens as possible while the first token still arrives in time. */
export interface TimeBudget {
  /** Milliseconds from pixels to the first token. */
  readonly firstTokenMs: number;
}

const timeBudgetSchema = z.strictObject({
  firstTokenMs: z.number().positive().finite(),
}) satisfies z.ZodType<TimeBudget>;

/**
 * Whether a budget is a time budget.
 * @throws InvalidBudgetError if it looks like a time budget but is malformed.
 */
export function isTimeBudget(budget: unknown): budget is TimeBudget {
  return readable(
    () => isReadableTimeBudget(budget),
    (problem) => new InvalidBudgetError(problem),
  );
}

function isReadableTimeBudget(budget: unknown): boolean {
  if (typeof budget !== 'object' || budget === null || !('firstTokenMs' in budget)) return false;
  if (timeBudgetSchema.safeParse(budget).success) return true;
  throw new InvalidBudgetError(
    `got ${shown(budget)}; expected only { firstTokenMs }, in milliseconds, above 0`,
  );
}

/**
 * How much to keep: a ratio below 1, an integer number of vision tokens per image, a token budget, a time budget, or `false` to keep all.
 */
export type Keep = number | PromptBudget | TimeBudget | false;

/** Selection options for one call, with a budget that may be a time budget. */
export interface AskOptions extends Omit<CallOptions, 'budget'> {
  readonly budget?: CallOptions['budget'] | TimeBudget;
}

/** A part of a message. */
export type MessagePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly image: ImageInput };

/** One turn of a conversation. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string | readonly MessagePart[];
}

/** A request to a model: `question` with `image` or `images`, or a conversation as `messages`. */
export interface AskRequest {
  /** The question, or the task for Florence-2. */
  readonly question?: string;
  readonly image?: ImageInput;
  /** Multiple images, in the order in which the model sees them, before the question. */
  readonly images?: readonly ImageInput[];
  /** A conversation that ends with a user turn. Images appear at their position in the conversation. */
  readonly messages?: readonly Message[];
  /** A prompt with `{question}` and one model placeholder per image, for models without a chat template. */
  readonly template?: string;
  /** Maximum length of the answer, in tokens. @default 128 */
  readonly maxNewTokens?: number;
  /** Aborts the call: it rejects with the signal's reason, and the model stops after the current token. */
  readonly signal?: AbortSignal;
  /** How many vision tokens to keep. @default the `keep` of `createVlm` */
  readonly keep?: Keep;
  /** Additional selection options for this call, as in `generate({ mmtok })`; `false` is the same as `keep: false`. */
  readonly mmtok?: AskOptions | false;
  /** Additional options of `generate`, e.g. `{ do_sample: true, temperature: 0.7, repetition_penalty: 1.1 }`. @default greedy search */
  readonly generation?: Readonly<Record<string, unknown>>;
}

/** A validated request. */
export interface ResolvedRequest {
  readonly messages: readonly PromptMessage[];
  readonly images: readonly ImageInput[];
  readonly template: string | undefined;
  readonly maxNewTokens: number;
  readonly signal: AbortSignal | undefined;
  readonly keep: Keep | undefined;
  readonly mmtok: AskOptions | false | undefined;
  readonly generation: Readonly<Record<string, unknown>>;
}

/** Options of `generate` that a request sets through its own fields, or that would change the type of the result. */
const OWN_NAMES: readonly string[] = [
  ...['inputs', 'input_ids', 'attention_mask', 'pixel_values', 'max_new_tokens', 'max_length', 'mmtok'],
  ...['streamer', 'return_dict_in_generate', 'past_key_values', 'num_return_sequences'],
];

const image = z.custom<ImageInput>(isImageInput, IMAGE_INPUT);
const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image'), image }),
]);
const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.union(
    [z.string(), z.array(part)],
    'expected a string, or parts { type: "text" } and { type: "image" }',
  ),
});

/** The schema of {@link Keep}; budgets are validated where they are used. */
export const keepSchema: z.ZodType<Keep> = z.custom<Keep>(
  (value) =>
    value === false ||
    (typeof value === 'object' && value !== null) ||
    (typeof value === 'number' && value > 0 && (value < 1 || Number.isSafeInteger(value))),
  {
    error: ({ input }) =>
      `got ${String(input)}, expected a ratio between 0 and 1, a token count of at least 1, a budget, or false to keep all tokens`,
  },
);

const schema = z.strictObject({
  question: z.string().optional(),
  image: image.optional(),
  images: z.array(image).optional(),
  messages: z.array(message).min(1).optional(),
  template: z.string().min(1).optional(),
  maxNewTokens: z.int('expected a whole number').positive('expected at least 1').default(128),
  signal: z
    .custom<AbortSignal>(
      (value) => typeof (value as AbortSignal | undefined)?.addEventListener === 'function',
      'expected an AbortSignal',
    )
    .optional(),
  keep: keepSchema.optional(),
  mmtok: z
    .custom<AskOptions | false>(
      (value) => value === false || (typeof value === 'object' && value !== null),
      'expected selection options, or false',
    )
    // Read here, so that unreadable options are reported.
    .transform((value) => (value === false ? value : { ...value }))
    .refine(
      (value) => value === false || value.onReport === undefined || typeof value.onReport === 'function',
      'onReport: expected a function',
    )
    .optional(),
  generation: z
    .record(z.string(), z.unknown())
    .refine(
      (given) => !OWN_NAMES.some((name) => name in given),
      `${OWN_NAMES.join(', ')} are not allowed here; use the request's own fields, such as maxNewTokens, keep, and mmtok`,
    )
    .default({}),
});

/**
 * Validates a request and fills in defaults.
 * @throws InvalidOptionsError with the actual and the expected value.
 */
export function resolveRequest(request: AskRequest): ResolvedRequest {
  const {
    question,
    image: single,
    images: several,
    messages,
    ...rest
  } = parseOptions('request', schema, request);
  const wrong = (problem: string): InvalidOptionsError => new InvalidOptionsError('request', [problem]);
  if (single !== undefined && several !== undefined) throw wrong('image and images cannot be combined');
  const images = several ?? (single === undefined ? [] : [single]);
  if (rest.mmtok === false && typeof rest.keep !== 'undefined' && rest.keep !== false)
    throw wrong('keep cannot be combined with mmtok: false');
  if (typeof rest.mmtok === 'object' && rest.mmtok.budget !== undefined && rest.keep !== undefined)
    throw wrong('keep and mmtok.budget cannot be combined');
  const options = {
    template: rest.template,
    maxNewTokens: rest.maxNewTokens,
    signal: rest.signal,
    keep: rest.keep,
    mmtok: rest.mmtok,
    generation: rest.generation,
  };
  if (messages === undefined) {
    if (question === undefined && images.length === 0)
      throw wrong('expected a question, an image, or messages');
    if (images.length === 0 && question?.trim() === '')
      throw wrong("question: got '', expected a non-empty string if there is no image");
    const parts: PromptPart[] = images.map(() => ({ type: 'image' }));
    if (question !== undefined && question !== '') parts.push({ type: 'text', text: question });
    return { messages: [{ role: 'user', content: parts }], images, ...options };
  }
  if (question !== undefined || images.length > 0)
    throw wrong('messages cannot be combined with question, image, or images');
  const last = messages.at(-1)?.role;
  if (last !== 'user') throw wrong(`messages: the last message has the role ${last}, expected user`);
  const inOrder: ImageInput[] = [];
  const turns = messages.map(({ role, content }): PromptMessage => {
    if (typeof content === 'string') return { role, content };
    return {
      role,
      content: content.map((one): PromptPart => {
        if (one.type === 'text') return one;
        inOrder.push(one.image);
        return { type: 'image' };
      }),
    };
  });
  return { messages: turns, images: inOrder, ...options };
}
