// Checks chat requests of OpenAI's API. Message parts are checked strictly, because they can carry files, addresses, and tensors;
// sampling fields as far as they bound the work. Unknown fields are left to the engine.

import * as z from 'zod';
import { BadRequestError, LimitError } from '../errors.js';

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const refusalPart = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });
const imagePart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({
    url: z.string().min(1),
    detail: z.enum(['auto', 'low', 'high', 'original']).optional(),
  }),
});

const textContent = z.union([
  z.string(),
  z.array(z.discriminatedUnion('type', [textPart, refusalPart])).min(1),
]);
const userContent = z.union([
  z.string(),
  z.array(z.discriminatedUnion('type', [textPart, imagePart])).min(1),
]);

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('user'), content: userContent }),
  z.looseObject({ role: z.enum(['system', 'developer', 'tool']), content: textContent }),
  z.looseObject({ role: z.literal('assistant'), content: textContent.nullish() }),
]);

const count = z.int().min(1).nullish();

const bodySchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(message).min(1, 'expected at least one message'),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: count,
  max_tokens: count,
  max_completion_tokens: count,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)]).nullish(),
});

const overridesSchema = z.union([
  z.literal(false),
  z.strictObject({
    keep: z
      .union([
        z.number().gt(0).lt(1),
        z.int().min(1),
        z.strictObject({ tokens: z.int().min(1) }),
        z.strictObject({ ratio: z.number().gt(0).max(1) }),
        z.strictObject({ coverage: z.number().gt(0).max(1) }),
      ])
      .optional(),
    tiles: z
      .union([
        z.literal('all'),
        z.strictObject({ max: z.int().min(1) }),
        z.strictObject({ share: z.number().gt(0).max(1) }),
        z.strictObject({
          worth: z.number().gt(0).max(1),
          min: z.int().min(1).optional(),
          max: z.int().min(1).optional(),
        }),
      ])
      .optional(),
    question: z.string().min(1).max(20_000).optional(),
    agent: z.union([z.literal(false), z.enum(['always', 'auto'])]).optional(),
  }),
]);

/** A part of a message. */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'refusal'; readonly refusal: string }
  | {
      readonly type: 'image_url';
      readonly image_url: { readonly url: string; readonly detail?: string | undefined };
    };

/** A message of a chat request. Other fields are passed along unchanged. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: string | readonly ContentPart[] | null | undefined;
  readonly [field: string]: unknown;
}

/** The checked fields of a chat request. Other fields are passed along unchanged. */
export interface ChatBody {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: { readonly include_usage?: boolean | null | undefined } | null | undefined;
  readonly n?: number | null | undefined;
  readonly max_tokens?: number | null | undefined;
  readonly max_completion_tokens?: number | null | undefined;
  readonly temperature?: number | null | undefined;
  readonly top_p?: number | null | undefined;
  readonly stop?: string | readonly string[] | null | undefined;
  readonly [field: string]: unknown;
}

/**
 * A maximum number of tiles, a share of them, including the overview, or the tiles with at least a share of the worth of the most
 * useful one.
 */
export type TileBudget =
  | 'all'
  | { readonly max: number }
  | { readonly share: number }
  | { readonly worth: number; readonly min?: number | undefined; readonly max?: number | undefined };

/** Overrides of one call: the field `mmtok` of the request, unless it is `false`. */
export interface Overrides {
  /** A share of the vision tokens (below 1), a number of tokens, or a budget. */
  readonly keep?:
    | number
    | { readonly tokens: number }
    | { readonly ratio: number }
    | { readonly coverage: number }
    | undefined;
  /** Which tiles of an image to encode, for families that split images into tiles and an overview. */
  readonly tiles?: TileBudget | undefined;
  /** The text that guides the selection, instead of the question in the messages. */
  readonly question?: string | undefined;
  /** When to ask the small model that the server was started with first; `false` for never. */
  readonly agent?: false | 'always' | 'auto' | undefined;
}

/** Limits of a chat request. */
export interface ChatBounds {
  /** Tokens of an answer. */
  readonly outputTokens: number;
  /** Answers of a request: `n`. */
  readonly choices: number;
  /** Characters of all texts of the messages. */
  readonly textLength: number;
}

/** A checked request and the addresses of its images. */
export interface ParsedChat {
  readonly body: ChatBody;
  readonly overrides: Overrides | false;
  readonly images: readonly { readonly url: string; readonly param: string }[];
}

/** Fields with which a client could pass tensors to vLLM, or change how it reads images. */
const REFUSED_FIELDS = [
  'prompt_embeds',
  'image_embeds',
  'multi_modal_data',
  'mm_processor_kwargs',
  'media_io_kwargs',
  'kv_transfer_params',
  'chat_template',
];

/**
 * Checks the body of a chat request.
 * @throws BadRequestError, LimitError
 */
export function parseChat(json: unknown, bounds: ChatBounds): ParsedChat {
  const { mmtok, ...rest } = check(z.looseObject({}), json, '');
  const body: ChatBody = check(bodySchema, rest, '');
  const overrides: Overrides | false =
    mmtok === undefined || mmtok === null ? {} : check(overridesSchema, mmtok, 'mmtok');

  const refused = REFUSED_FIELDS.find((field) => field in body);
  if (refused !== undefined) {
    throw new BadRequestError(`The field '${refused}' is not accepted from clients.`, { param: refused });
  }
  const bound = (param: string, value: number | null | undefined, most: number): void => {
    if ((value ?? 0) > most)
      throw new LimitError(`${param} is ${value}; this server allows ${most}.`, { param });
  };
  bound('max_tokens', body.max_tokens, bounds.outputTokens);
  bound('max_completion_tokens', body.max_completion_tokens, bounds.outputTokens);
  bound('n', body.n, bounds.choices);
  bound('messages', textLength(body.messages), bounds.textLength);
  return { body, overrides, images: imagesOf(body.messages) };
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, name: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [...(name === '' ? [] : [name]), ...(issue === undefined ? [] : deepest(issue).path)];
  const param = path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  );
  const problem = issue === undefined ? 'it is invalid' : deepest(issue).message;
  throw new BadRequestError(`${param === '' ? 'The body' : `'${param}'`}: ${problem}.`, {
    param: param === '' ? undefined : param,
  });
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** For a failed union, the issue of the alternative that matched furthest. */
function deepest(issue: z.core.$ZodIssue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors
    .flat()
    .map(deepest)
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (inner === undefined) return issue;
  return { path: [...issue.path, ...inner.path], message: inner.message };
}

function textLength(messages: readonly ChatMessage[]): number {
  let total = 0;
  for (const { content } of messages) {
    if (typeof content === 'string') total += content.length;
    else for (const part of content ?? []) total += part.type === 'text' ? part.text.length : 0;
  }
  return total;
}

function imagesOf(messages: readonly ChatMessage[]): ParsedChat['images'] {
  return messages.flatMap(({ content }, message) =>
    typeof content === 'string' || content === null || content === undefined
      ? []
      : content.flatMap((part, index) =>
          part.type === 'image_url'
            ? [{ url: part.image_url.url, param: `messages[${message}].content[${index}].image_url.url` }]
            : [],
        ),
  );
}

/**
 * The messages with each image part replaced by `replace(n)`, for the n-th image.
 */
export function replaceImages(
  messages: readonly ChatMessage[],
  replace: (image: number) => readonly unknown[],
): readonly unknown[] {
  let image = 0;
  return messages.map((each) =>
    typeof each.content === 'string' || each.content === null || each.content === undefined
      ? each
      : {
          ...each,
          content: each.content.flatMap((part): readonly unknown[] =>
            part.type === 'image_url' ? replace(image++) : [part],
          ),
        },
  );
}

/** {@link Overrides} as options of @mmtok/transformers. */
export interface CallOverrides {
  readonly budget?: { readonly tokens: number } | { readonly ratio: number } | { readonly coverage: number };
  readonly tiles?: TileBudget;
  readonly question?: string;
  readonly agent?: false | 'always' | 'auto';
}

/** The selection options that a request overrides. */
export function callOptions({ keep, tiles, question, agent }: Overrides): CallOverrides {
  const budget = typeof keep === 'number' ? (keep < 1 ? { ratio: keep } : { tokens: keep }) : keep;
  return {
    ...(budget !== undefined && { budget }),
    ...(tiles !== undefined && { tiles }),
    ...(question !== undefined && { question }),
    ...(agent !== undefined && { agent }),
  };
}

/** The text of the last user message. */
export function lastQuestion(messages: readonly ChatMessage[]): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? part.text : [])).join('\n');
}
