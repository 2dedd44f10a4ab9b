// Builds the text of a prompt: a conversation in the model's chat template, with placeholders for images.

import type { Message as LibraryMessage, Processor } from '@huggingface/transformers';
import { messageOf } from '@mmtok/core/internal';
import { InputError } from '../errors.js';
import { type Library, type ModelConfig, numberAt } from '../internal/types.js';

/** A part of a message. An image part refers to the next image of the request. */
export type PromptPart = { readonly type: 'text'; readonly text: string } | { readonly type: 'image' };

/** One turn of a conversation. */
export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string | readonly PromptPart[];
}

/** The contents of a prompt. */
export interface PromptRequest {
  /** A conversation that ends with a user turn. */
  readonly messages?: readonly PromptMessage[] | undefined;
  /** All images, in the order of their placeholders. */
  readonly images: readonly unknown[];
  /** A prompt with `{question}` and one placeholder per image, used instead of the model's chat template. */
  readonly template?: string | undefined;
}

/** A processor and the properties of its class. */
export interface Tools {
  readonly library: Library;
  readonly processor: Processor;
  readonly config: ModelConfig;
  /** Whether transformers.js has a processor class that combines text and images. */
  readonly isWhole: boolean;
  /** The placeholder text of an image in a prompt; absent if prompts have no placeholders. */
  readonly placeholder: string | RegExp | undefined;
}

/** The text of the last turn, which drives the selection. */
export function lastQuestion(messages: readonly PromptMessage[]): string {
  return textOf(messages.at(-1)?.content ?? '');
}

/** Removes placeholders that would be read as images. Some data sets include them in their questions. */
export function withoutPlaceholders(library: Library, processor: Processor, text: string): string {
  const { placeholder } = toolsOf(library, processor, {});
  const rest = text.replaceAll('<image>', ' ');
  if (placeholder === undefined) return rest;
  return typeof placeholder === 'string' ? rest.replaceAll(placeholder, ' ') : rest.replace(placeholder, ' ');
}

/** The properties of a processor. */
export function toolsOf(library: Library, processor: Processor, config: ModelConfig): Tools {
  const isWhole = processor.constructor !== library.Processor;
  return {
    library,
    processor,
    config,
    isWhole,
    placeholder: placeholderOf(library, processor, config, isWhole),
  };
}

function placeholderOf(
  library: Library,
  processor: Processor,
  config: ModelConfig,
  isWhole: boolean,
): string | RegExp | undefined {
  const { tokenizer } = processor;
  const own = processor as unknown as {
    readonly image_tag?: string;
    readonly boi_token?: string;
    readonly image_token?: string;
    readonly config?: { readonly image_token?: string };
    readonly constructor: { readonly image_token?: string };
  };
  if (processor instanceof library.Florence2Processor) return undefined;
  if (processor instanceof library.Phi3VProcessor) return /<\|image_\d+\|>/g;
  if (processor instanceof library.Gemma3Processor) return own.boi_token;
  if (!isWhole) {
    const id = numberAt(config, 'image_token_index', 'image_token_id');
    if (id !== undefined && tokenizer !== undefined)
      return tokenizer.decode([id], { skip_special_tokens: false }).trim() || '<image>';
  }
  return (
    own.image_tag ?? own.constructor.image_token ?? own.image_token ?? own.config?.image_token ?? '<image>'
  );
}

/**
 * Builds the prompt of a conversation with the model's chat template or with the given template.
 * @throws InputError if there is no template, or if it does not fit the conversation.
 */
export function promptOf(tools: Tools, { messages = [], images, template }: PromptRequest): string {
  const { processor, library, placeholder, config } = tools;
  for (const { content } of messages) checkText(tools, textOf(content));
  const question = lastQuestion(messages);
  if (template !== undefined) {
    if (messages.length > 1)
      throw new InputError('a template supports one question; pass a single user message');
    // A replacer function, because `$&` and similar patterns in a text would be interpreted.
    return template.replaceAll('{question}', () => question);
  }
  // Florence-2 expects tasks and PaliGemma short instructions. Neither supports conversations.
  const places = typeof placeholder === 'string' ? placeholder.repeat(images.length) : '';
  if (processor instanceof library.Florence2Processor) return question;
  if (processor instanceof library.PaliGemmaProcessor) return `${places}${question}`;
  if (processor.chat_template != null || processor.tokenizer?.chat_template != null)
    return rendered(tools, messages, images.length, question);
  if (config.model_type === 'moondream1') return `${places}\n\nQuestion: ${question}\n\nAnswer:`;
  throw new InputError(
    'the model has no chat template; add a chat_template to tokenizer_config.json, or pass the prompt, e.g. ' +
      "template: 'USER: <image>\\n{question} ASSISTANT:'",
  );
}

/**
 * Applies the model's chat template to the conversation. Templates expect either parts or plain text, and some do not support a
 * system turn. The right form is found by checking the result, which must contain the question and one placeholder per image.
 */
function rendered(
  tools: Tools,
  messages: readonly PromptMessage[],
  images: number,
  question: string,
): string {
  let problem: unknown = new Error(
    `the result does not have one placeholder for each of the ${images} images`,
  );
  const folded = withoutSystem(messages);
  const forms = [inParts(messages), inText(tools, messages), inParts(folded), inText(tools, folded)];
  for (const form of forms) {
    try {
      const prompt = tools.processor.apply_chat_template(form, {
        tokenize: false,
        add_generation_prompt: true,
      }) as string;
      if (placeholderCount(tools, prompt) === images && prompt.includes(question.trim())) return prompt;
    } catch (error) {
      problem = error;
    }
  }
  throw new InputError(
    `the chat template cannot be applied to these messages (${messageOf(problem)}); pass the prompt as template`,
    { cause: problem },
  );
}

function inParts(messages: readonly PromptMessage[]): LibraryMessage[] {
  return messages.map(({ role, content }) => ({
    role,
    content:
      typeof content === 'string' ? [{ type: 'text', text: content }] : content.map((part) => ({ ...part })),
  }));
}

/** Content as plain text, with placeholders for images. */
export function inText(tools: Tools, messages: readonly PromptMessage[]): LibraryMessage[] {
  let image = 0;
  const partOf = (part: PromptPart): string =>
    part.type === 'text' ? part.text : `${placeholderFor(tools, ++image)}\n`;
  return messages.map(({ role, content }) => ({
    role,
    content: typeof content === 'string' ? content : content.map(partOf).join(''),
  }));
}

/** The text to insert for an image, counted from 1, if the template does not insert it. */
function placeholderFor({ processor, library, placeholder }: Tools, image: number): string {
  if (processor instanceof library.Qwen2VLProcessor) {
    const isGlm = processor instanceof library.Glm46VProcessor;
    return isGlm
      ? `<|begin_of_image|>${placeholder}<|end_of_image|>`
      : `<|vision_start|>${placeholder}<|vision_end|>`;
  }
  return typeof placeholder === 'string' ? placeholder : `<|image_${image}|>`;
}

/** Merges system turns into the start of the first user turn. */
export function withoutSystem(messages: readonly PromptMessage[]): PromptMessage[] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => textOf(content));
  const rest = messages.filter(({ role }) => role !== 'system');
  const [first, ...others] = rest;
  if (first === undefined || system.length === 0) return rest;
  const parts: readonly PromptPart[] =
    typeof first.content === 'string' ? [{ type: 'text', text: first.content }] : first.content;
  return [
    { role: first.role, content: [{ type: 'text', text: `${system.join('\n')}\n\n` }, ...parts] },
    ...others,
  ];
}

/** The text of a message, without its images. */
export function textOf(content: PromptMessage['content']): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

function placeholderCount({ placeholder }: Tools, prompt: string): number {
  if (placeholder === undefined) return 0;
  return typeof placeholder === 'string'
    ? prompt.split(placeholder).length - 1
    : (prompt.match(placeholder) ?? []).length;
}

/** @throws InputError if the text contains a placeholder, which would be read as an image. */
export function checkText(tools: Tools, text: string): void {
  if (placeholderCount(tools, text) === 0) return;
  throw new InputError(
    `the text '${shortened(text)}' contains ${tools.placeholder}, which marks an image in this model's prompts; ` +
      'remove it, and pass images as image or images',
  );
}

/** @throws InputError if the prompt does not have exactly one placeholder per image. */
export function checkPlaceholders(tools: Tools, prompt: string, images: number): void {
  const { processor, library, placeholder } = tools;
  if (placeholder === undefined || processor instanceof library.PaliGemmaProcessor) return;
  const count = placeholderCount(tools, prompt);
  if (count === images) return;
  throw new InputError(
    `the prompt '${shortened(prompt)}' has ${count} placeholders for ${images} images; expected ` +
      `${typeof placeholder === 'string' ? placeholder : '<|image_1|>'} once per image`,
  );
}

const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
