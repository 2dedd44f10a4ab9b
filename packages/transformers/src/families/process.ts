// Turns a conversation and its images into a model's inputs: the chat template, and each processor's own way of being called.

import type { Message as LibraryMessage, Processor, RawImage, Tensor } from '@huggingface/transformers';
import { InputError } from '../errors.js';
import { type ModelConfig, numberAt, section } from '../internal/types.js';

type Library = typeof import('@huggingface/transformers');

/** What a processor returns, by name; `generate` takes it. */
export type ModelInputs = Readonly<Record<string, Tensor>>;

/** A part of a message. An image is the next of the request's `images`. */
export type PromptPart = { readonly type: 'text'; readonly text: string } | { readonly type: 'image' };

/** One turn of a conversation. */
export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string | readonly PromptPart[];
}

/** What {@link processInputs} makes inputs of: a finished `prompt`, or `messages`. */
export interface ProcessRequest {
  /** The whole prompt, with the model's placeholder once per image. */
  readonly prompt?: string | undefined;
  /** A conversation that ends with the user's turn. */
  readonly messages?: readonly PromptMessage[] | undefined;
  /** All images, in the order of their places. */
  readonly images: readonly RawImage[];
  /** A prompt with `{question}` and one placeholder per image, in place of the model's chat template. */
  readonly template?: string | undefined;
  /** The model's configuration. Needed where transformers.js has no processor for the family. */
  readonly config?: ModelConfig | undefined;
  /** Counts the vision tokens of an image, where transformers.js has no processor for the family. @default by the patch size */
  readonly tokensPerImage?: ((inputs: ModelInputs) => Promise<number>) | undefined;
}

/** A processor with what is known about its class. */
interface Tools {
  readonly library: Library;
  readonly processor: Processor;
  readonly config: ModelConfig;
  /** Whether transformers.js has a class for it, which joins text and images. */
  readonly isWhole: boolean;
  /** The text that stands for an image in a prompt; nothing where prompts have no such places. */
  readonly placeholder: string | RegExp | undefined;
}

/**
 * Builds the inputs of `generate`.
 * @throws InputError if the model has no chat template and none was given, if places and images do not fit, or if the
 * processor cannot take this.
 * @example
 * const { library, processor, model } = await loadVlm('HuggingFaceTB/SmolVLM-256M-Instruct');
 * const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'What is it?' }] }];
 * const inputs = await processInputs(library, processor, { messages, images: [await library.RawImage.read('cat.jpg')] });
 * const output = await model.generate({ ...inputs, max_new_tokens: 32 });
 */
export async function processInputs(
  library: Library,
  processor: Processor,
  request: ProcessRequest,
): Promise<ModelInputs> {
  const tools = toolsOf(library, processor, request.config ?? {});
  const { images } = request;
  try {
    const isJanus = processor instanceof library.VLChatProcessor;
    if (isJanus && request.prompt === undefined && request.template === undefined)
      return await callJanus(tools, request);
    const prompt = request.prompt ?? promptOf(tools, request);
    checkPlaces(tools, prompt, images.length);
    if (isJanus) return await callJanusWith(processor, prompt, images);
    return images.length === 0 ? tokenized(processor, prompt) : await call(tools, prompt, request);
  } catch (cause) {
    if (InputError.isInstance(cause)) throw cause;
    const given = images.length === 1 ? 'this image' : `these ${images.length} images together`;
    throw new InputError(
      `its processor, ${processor.constructor.name}, cannot take ${given} (${messageOf(cause)})`,
      { cause },
    );
  }
}

/** The text of the last turn: what a selection is to look for. */
export function lastQuestion(messages: readonly PromptMessage[]): string {
  return textOf(messages.at(-1)?.content ?? '');
}

/** A text without the placeholders that would stand for images, as data sets have them in their questions. */
export function withoutPlaceholders(library: Library, processor: Processor, text: string): string {
  const { placeholder } = toolsOf(library, processor, {});
  const rest = text.replaceAll('<image>', ' ');
  if (placeholder === undefined) return rest;
  return typeof placeholder === 'string' ? rest.replaceAll(placeholder, ' ') : rest.replace(placeholder, ' ');
}

function toolsOf(library: Library, processor: Processor, config: ModelConfig): Tools {
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

// The prompt

function promptOf(tools: Tools, { messages = [], images, template }: ProcessRequest): string {
  const { processor, library, placeholder, config } = tools;
  for (const { content } of messages) checkText(tools, textOf(content));
  const question = lastQuestion(messages);
  if (template !== undefined) {
    if (messages.length > 1)
      throw new InputError('a template takes one question, expected a single message of the user');
    // As a function: in a text, `$&` and the like would mean something.
    return template.replaceAll('{question}', () => question);
  }
  // Florence-2 is given tasks, PaliGemma short instructions; neither knows conversations.
  const places = typeof placeholder === 'string' ? placeholder.repeat(images.length) : '';
  if (processor instanceof library.Florence2Processor) return question;
  if (processor instanceof library.PaliGemmaProcessor) return `${places}${question}`;
  if (processor.chat_template != null || processor.tokenizer?.chat_template != null)
    return rendered(tools, messages, images.length, question);
  if (config.model_type === 'moondream1') return `${places}\n\nQuestion: ${question}\n\nAnswer:`;
  throw new InputError(
    'it has no chat template, expected a chat_template in tokenizer_config.json; give its prompt yourself, e.g. ' +
      "template: 'USER: <image>\\n{question} ASSISTANT:'",
  );
}

/**
 * The conversation in the model's chat template. Templates want parts or plain text, and some know no system turn; what
 * fits is told by the result, which must hold the question and a place for each image.
 */
function rendered(
  tools: Tools,
  messages: readonly PromptMessage[],
  images: number,
  question: string,
): string {
  let problem: unknown = new Error(`the result has no place for each of the ${images} images`);
  const folded = withoutSystem(messages);
  const forms = [inParts(messages), inText(tools, messages), inParts(folded), inText(tools, folded)];
  for (const form of forms) {
    try {
      const prompt = tools.processor.apply_chat_template(form, {
        tokenize: false,
        add_generation_prompt: true,
      }) as string;
      if (countPlaces(tools, prompt) === images && prompt.includes(question.trim())) return prompt;
    } catch (error) {
      problem = error;
    }
  }
  throw new InputError(
    `its chat template cannot be applied to these messages (${messageOf(problem)}); give the finished text as prompt`,
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

/** Content as plain text, with placeholders in the places of images. */
function inText(tools: Tools, messages: readonly PromptMessage[]): LibraryMessage[] {
  let image = 0;
  const partOf = (part: PromptPart): string =>
    part.type === 'text' ? part.text : `${placeOf(tools, ++image)}\n`;
  return messages.map(({ role, content }) => ({
    role,
    content: typeof content === 'string' ? content : content.map(partOf).join(''),
  }));
}

/** What is written for an image, counted from 1, where the template does not do it. */
function placeOf({ processor, library, placeholder }: Tools, image: number): string {
  if (processor instanceof library.Qwen2VLProcessor) {
    const isGlm = processor instanceof library.Glm46VProcessor;
    return isGlm
      ? `<|begin_of_image|>${placeholder}<|end_of_image|>`
      : `<|vision_start|>${placeholder}<|vision_end|>`;
  }
  return typeof placeholder === 'string' ? placeholder : `<|image_${image}|>`;
}

/** The system's turns as the beginning of the first turn of the user. */
function withoutSystem(messages: readonly PromptMessage[]): PromptMessage[] {
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

function textOf(content: PromptMessage['content']): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

function countPlaces({ placeholder }: Tools, prompt: string): number {
  if (placeholder === undefined) return 0;
  return typeof placeholder === 'string'
    ? prompt.split(placeholder).length - 1
    : (prompt.match(placeholder) ?? []).length;
}

function checkText(tools: Tools, text: string): void {
  if (countPlaces(tools, text) === 0) return;
  throw new InputError(
    `the text '${shortened(text)}' contains ${tools.placeholder}, which stands for an image in this model's prompts; ` +
      'leave it out, images are handed in as such',
  );
}

function checkPlaces(tools: Tools, prompt: string, images: number): void {
  const { processor, library, placeholder } = tools;
  if (placeholder === undefined || processor instanceof library.PaliGemmaProcessor) return;
  const places = countPlaces(tools, prompt);
  if (places === images) return;
  throw new InputError(
    `the prompt '${shortened(prompt)}' has ${places} places for ${images} images; expected ` +
      `${typeof placeholder === 'string' ? placeholder : '<|image_1|>'} once per image`,
  );
}

const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

// The call

async function call(tools: Tools, prompt: string, request: ProcessRequest): Promise<ModelInputs> {
  const { library, processor, isWhole } = tools;
  const images = [...request.images];
  const { LlavaProcessor, PixtralProcessor, PaliGemmaProcessor, Lfm2VlProcessor, Florence2Processor } =
    library;
  if (!isWhole) return await callApart(tools, prompt, request);
  if (processor instanceof LlavaProcessor) return await callLlava(processor, images, prompt);
  if (processor instanceof PixtralProcessor && images.length > 1)
    return await callPixtral(processor, images, prompt);
  if (processor instanceof library.Qwen2VLProcessor && images.length > 1)
    return await callQwen(library, processor, images, prompt);
  const takesImagesFirst = [PixtralProcessor, PaliGemmaProcessor, Lfm2VlProcessor, Florence2Processor].some(
    (type) => processor instanceof type,
  );
  return takesImagesFirst ? await processor(images, prompt) : await processor(prompt, images);
}

/** Text without images: the tokenizer alone, for some processors fail without an image. */
function tokenized({ tokenizer }: Processor, prompt: string): ModelInputs {
  if (tokenizer === undefined)
    throw new InputError('its processor has no tokenizer; load the model with loadVlm()');
  return { ...(tokenizer(prompt) as ModelInputs) };
}

function imagesOf({ image_processor }: Processor): NonNullable<Processor['image_processor']> {
  if (image_processor === undefined) throw new InputError('its processor takes no images');
  return image_processor;
}

/** Makes room for each image by repeating its placeholder. */
function expanded(processor: Processor, prompt: string, place: string, room: string): ModelInputs {
  return tokenized(processor, prompt.split(place).join(room));
}

interface PatchConfig {
  readonly image_token: string;
  readonly patch_size: number;
  readonly num_additional_image_tokens?: number;
  readonly vision_feature_select_strategy?: string;
  readonly image_break_token: string;
  readonly image_end_token: string;
  readonly spatial_merge_size: number;
}

/**
 * LLaVA's processor makes room for the first image only, and counts the class token of the encoder even where the model
 * drops it, as it does with the strategy `default` (transformers.js 4.3).
 */
async function callLlava(processor: Processor, images: RawImage[], prompt: string): Promise<ModelInputs> {
  const config = processor.config as unknown as PatchConfig;
  const pixels: ModelInputs = await imagesOf(processor)(images);
  const [rows, columns] = patchGrid(pixels, config.patch_size);
  const dropped = config.vision_feature_select_strategy === 'default' ? 1 : 0;
  const more = Math.max(0, (config.num_additional_image_tokens ?? 0) - dropped);
  const room = config.image_token.repeat(rows * columns + more);
  return { ...pixels, ...expanded(processor, prompt, config.image_token, room) };
}

/** Pixtral's processor makes room for the first image only (transformers.js 4.3). */
async function callPixtral(processor: Processor, images: RawImage[], prompt: string): Promise<ModelInputs> {
  const config = processor.config as unknown as PatchConfig;
  const { image_token: token, image_break_token, image_end_token } = config;
  const pixels: ModelInputs = await imagesOf(processor)(images);
  const [rows, columns] = patchGrid(pixels, config.patch_size * config.spatial_merge_size);
  const line = token.repeat(columns);
  const room = `${`${line}${image_break_token}`.repeat(rows - 1)}${line}${image_end_token}`;
  return { ...pixels, ...expanded(processor, prompt, token, room) };
}

function patchGrid({ pixel_values }: ModelInputs, side: number): [rows: number, columns: number] {
  const [height = 0, width = 0] = pixel_values?.dims.slice(-2) ?? [];
  return [Math.floor(height / side), Math.floor(width / side)];
}

/**
 * Qwen's image processor takes several images for frames of one video (transformers.js 4.3). Here the processor works
 * as ever, but for an image processor that is called once per image.
 */
async function callQwen(
  { cat }: Library,
  processor: Processor,
  images: readonly RawImage[],
  prompt: string,
): Promise<ModelInputs> {
  const imageProcessor = imagesOf(processor);
  const onePerCall = async (all: readonly RawImage[]): Promise<ModelInputs> => {
    const parts: ModelInputs[] = [];
    for (const image of all) parts.push(await imageProcessor(image));
    const joined = (name: string): Tensor => cat(parts.map((part) => part[name] as Tensor));
    return { pixel_values: joined('pixel_values'), image_grid_thw: joined('image_grid_thw') };
  };
  const patient = Object.create(processor, {
    image_processor: { value: Object.assign(onePerCall, { config: imageProcessor.config }) },
  }) as Processor;
  return await patient._call(prompt, images);
}

/** Janus takes a conversation of its own form, and applies its template itself. */
async function callJanus(tools: Tools, { messages = [], images }: ProcessRequest): Promise<ModelInputs> {
  for (const { content } of messages) checkText(tools, textOf(content));
  const roles: Readonly<Record<string, string>> = { user: '<|User|>', assistant: '<|Assistant|>' };
  const conversation = inText(tools, withoutSystem(messages)).map(({ role, content }) => ({
    role: roles[role] ?? role,
    content,
  }));
  return await tools.processor(conversation, { images: [...images] });
}

/** A finished prompt for Janus: a template that writes nothing of its own. */
async function callJanusWith(
  processor: Processor,
  content: string,
  images: readonly RawImage[],
): Promise<ModelInputs> {
  const chat_template = '{{ messages[0]["content"] }}';
  return await processor([{ role: 'user', content }], { images: [...images], chat_template });
}

/** For families without a processor class: the image processor and the tokenizer apart, and the room made here. */
async function callApart(
  { processor, placeholder, config }: Tools,
  prompt: string,
  { images, tokensPerImage }: ProcessRequest,
): Promise<ModelInputs> {
  const pixels: ModelInputs = await imagesOf(processor)([...images]);
  const place = placeholder as string;
  return { ...pixels, ...expanded(processor, prompt, place, place.repeat(await count())) };

  async function count(): Promise<number> {
    if (tokensPerImage !== undefined) return await tokensPerImage(pixels);
    const side = numberAt(section(config, 'vision_config'), 'patch_size');
    if (side === undefined) {
      throw new InputError(
        'transformers.js has no processor for this model that joins text and images, and its config.json does not tell ' +
          'how many vision tokens an image becomes; use createVlm(), which asks the vision encoder',
      );
    }
    const [rows, columns] = patchGrid(pixels, side);
    return rows * columns;
  }
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
