// Converts a conversation and its images to model inputs, and calls each processor in the way it expects.

import type { Processor, RawImage, Tensor } from '@huggingface/transformers';
import { messageOf } from '@mmtok/core/internal';
import { InputError } from '../errors.js';
import { type Normalization, packingsOf, tilesOf } from '../internal/anyres.js';
import { type Library, type ModelConfig, numberAt, section } from '../internal/types.js';
import { withMembers } from '../internal/with-members.js';
import { withFasterImages } from './faster-images.js';
import {
  checkPlaceholders,
  checkText,
  inText,
  type PromptRequest,
  promptOf,
  type Tools,
  textOf,
  toolsOf,
  withoutSystem,
} from './prompt-text.js';

/** The named outputs of a processor, which are passed to `generate`. */
export type ModelInputs = Readonly<Record<string, Tensor>>;

/** The request of {@link processInputs}: a finished `prompt`, or `messages`. */
export interface ProcessRequest extends PromptRequest {
  /** The full prompt, with one model placeholder per image. */
  readonly prompt?: string | undefined;
  /** All images, in the order of their placeholders. */
  readonly images: readonly RawImage[];
  /** The model's configuration. Required if transformers.js has no processor for the family. */
  readonly config?: ModelConfig | undefined;
  /** Counts the vision tokens of an image, if transformers.js has no processor for the family. @default computed from the patch size */
  readonly tokensPerImage?: ((inputs: ModelInputs) => Promise<number>) | undefined;
}

/**
 * Builds the inputs of `generate`.
 * @throws InputError if the model has no chat template and none was given, if the number of placeholders does not match the
 * number of images, or if the processor does not support the request.
 * @example
 * const { library, processor, model } = await loadVlm('HuggingFaceTB/SmolVLM-256M-Instruct');
 * const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'What is it?' }] }];
 * const inputs = await processInputs(library, processor, { messages, images: [await library.RawImage.read('cat.jpg')] });
 * const output = await model.generate({ ...inputs, max_new_tokens: 32 });
 */
export async function processInputs(
  library: Library,
  given: Processor,
  request: ProcessRequest,
): Promise<ModelInputs> {
  const processor = withFasterImages(library, given);
  const tools = toolsOf(library, processor, request.config ?? {});
  const { images } = request;
  try {
    const isJanus = processor instanceof library.VLChatProcessor;
    if (isJanus && request.prompt === undefined && request.template === undefined)
      return await callJanus(tools, request);
    const prompt = request.prompt ?? promptOf(tools, request);
    checkPlaceholders(tools, prompt, images.length);
    if (isJanus) return await callJanusWith(processor, prompt, images);
    return images.length === 0 ? tokenized(processor, prompt) : await call(tools, prompt, request);
  } catch (cause) {
    if (InputError.isInstance(cause)) throw cause;
    const taken = images.length === 1 ? 'this image' : `these ${images.length} images together`;
    throw new InputError(
      `its processor, ${processor.constructor.name}, cannot take ${taken} (${messageOf(cause)})`,
      { cause },
    );
  }
}

async function call(tools: Tools, prompt: string, request: ProcessRequest): Promise<ModelInputs> {
  const { library, processor, isWhole } = tools;
  const images = [...request.images];
  const { LlavaProcessor, PixtralProcessor, PaliGemmaProcessor, Lfm2VlProcessor, Florence2Processor } =
    library;
  if (tools.config.model_type === 'llava_next') return await callLlavaNext(tools, images, prompt);
  if (!isWhole) return await callApart(tools, prompt, request);
  if (processor instanceof LlavaProcessor) return await callLlava(tools, images, prompt);
  if (processor instanceof PixtralProcessor && images.length > 1)
    return await callPixtral(processor, images, prompt);
  if (processor instanceof library.Qwen2VLProcessor && images.length > 1)
    return await callQwen(library, processor, images, prompt);
  const takesImagesFirst = [PixtralProcessor, PaliGemmaProcessor, Lfm2VlProcessor, Florence2Processor].some(
    (type) => processor instanceof type,
  );
  return takesImagesFirst ? await processor(images, prompt) : await processor(prompt, images);
}

/** Text without images: uses only the tokenizer, because some processors fail without an image. */
function tokenized({ tokenizer }: Processor, prompt: string): ModelInputs {
  if (tokenizer === undefined)
    throw new InputError('the processor has no tokenizer; load the model with loadVlm()');
  return { ...(tokenizer(prompt) as ModelInputs) };
}

function imagesOf({ image_processor }: Processor): NonNullable<Processor['image_processor']> {
  if (image_processor === undefined) throw new InputError('the processor does not accept images');
  return image_processor;
}

/** Tokenizes a prompt in which each placeholder is replaced by the tokens of an image. */
function expanded(processor: Processor, prompt: string, placeholder: string, tokens: string): ModelInputs {
  return tokenized(processor, prompt.split(placeholder).join(tokens));
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
 * LLaVA's processor reserves tokens for the first image only. It also counts the encoder's class token, even if the model drops
 * it, as it does with the strategy `default` (transformers.js 4.3).
 */
async function callLlava(
  { processor, config: ofModel }: Tools,
  images: RawImage[],
  prompt: string,
): Promise<ModelInputs> {
  const config = processor.config as unknown as PatchConfig;
  const pixels: ModelInputs = await imagesOf(processor)(images);
  const [rows, columns] = patchGrid(pixels, config.patch_size);
  const strategy = config.vision_feature_select_strategy ?? ofModel.vision_feature_select_strategy;
  const dropped = strategy === 'default' ? 1 : 0;
  const more = Math.max(0, (config.num_additional_image_tokens ?? 0) - dropped);
  const tokens = config.image_token.repeat(rows * columns + more);
  return { ...pixels, ...expanded(processor, prompt, config.image_token, tokens) };
}

/** Pixtral's processor reserves tokens for the first image only (transformers.js 4.3). */
async function callPixtral(processor: Processor, images: RawImage[], prompt: string): Promise<ModelInputs> {
  const config = processor.config as unknown as PatchConfig;
  const { image_token: token, image_break_token, image_end_token } = config;
  const pixels: ModelInputs = await imagesOf(processor)(images);
  const [rows, columns] = patchGrid(pixels, config.patch_size * config.spatial_merge_size);
  const line = token.repeat(columns);
  const tokens = `${`${line}${image_break_token}`.repeat(rows - 1)}${line}${image_end_token}`;
  return { ...pixels, ...expanded(processor, prompt, token, tokens) };
}

function patchGrid({ pixel_values }: ModelInputs, side: number): [rows: number, columns: number] {
  const [height = 0, width = 0] = pixel_values?.dims.slice(-2) ?? [];
  return [Math.floor(height / side), Math.floor(width / side)];
}

/**
 * Qwen's image processor treats multiple images as frames of one video (transformers.js 4.3). Here, the processor works as usual,
 * except that the image processor is called once per image.
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
  const image_processor = Object.assign(onePerCall, { config: imageProcessor.config });
  return await withMembers(processor, { image_processor })(prompt, images);
}

/** Janus has its own conversation format and applies its template itself. */
async function callJanus(tools: Tools, { messages = [], images }: ProcessRequest): Promise<ModelInputs> {
  for (const { content } of messages) checkText(tools, textOf(content));
  const roles: Readonly<Record<string, string>> = { user: '<|User|>', assistant: '<|Assistant|>' };
  const conversation = inText(tools, withoutSystem(messages)).map(({ role, content }) => ({
    role: roles[role] ?? role,
    content,
  }));
  return await tools.processor(conversation, { images: [...images] });
}

/** A finished prompt for Janus: uses a template that adds nothing to the prompt. */
async function callJanusWith(
  processor: Processor,
  content: string,
  images: readonly RawImage[],
): Promise<ModelInputs> {
  const chat_template = '{{ messages[0]["content"] }}';
  return await processor([{ role: 'user', content }], { images: [...images], chat_template });
}

/** LLaVA-NeXT: makes the tiles of each image and reserves its unpruned tokens. transformers.js has no processor for it. */
async function callLlavaNext(
  { library, processor, placeholder, config }: Tools,
  images: readonly RawImage[],
  prompt: string,
): Promise<ModelInputs> {
  const normalization = imagesOf(processor).config as unknown as Normalization;
  const tiled = images.map((image) => tilesOf(image.clone().rgb(), config, normalization));
  const { side = 0 } = tiled[0] ?? {};
  const count = tiled.reduce((sum, { tiles }) => sum + tiles, 0);
  const pixels = new Float32Array(count * 3 * side * side);
  let at = 0;
  for (const { data } of tiled) {
    pixels.set(data, at);
    at += data.length;
  }
  const sizes = BigInt64Array.from(images.flatMap(({ height, width }) => [BigInt(height), BigInt(width)]));
  const image_sizes = new library.Tensor('int64', sizes, [images.length, 2]);
  const counts = packingsOf(config, { image_sizes }).map(({ unpruned }) => unpruned.length);
  const token = placeholder as string;
  const [start = '', ...rest] = prompt.split(token);
  const text = start + rest.map((part, image) => token.repeat(counts[image] ?? 0) + part).join('');
  return {
    pixel_values: new library.Tensor('float32', pixels, [count, 3, side, side]),
    image_sizes,
    ...tokenized(processor, text),
  };
}

/** For families without a processor class: calls the image processor and the tokenizer separately and reserves the vision tokens here. */
async function callApart(
  { processor, placeholder, config }: Tools,
  prompt: string,
  { images, tokensPerImage }: ProcessRequest,
): Promise<ModelInputs> {
  const pixels: ModelInputs = await imagesOf(processor)([...images]);
  const token = placeholder as string;
  return { ...pixels, ...expanded(processor, prompt, token, token.repeat(await count())) };

  async function count(): Promise<number> {
    if (tokensPerImage !== undefined) return await tokensPerImage(pixels);
    const side = numberAt(section(config, 'vision_config'), 'patch_size');
    if (side === undefined) {
      throw new InputError(
        'transformers.js has no processor for this model that combines text and images, and its config.json does not say ' +
          'how many vision tokens an image has; use createVlm(), which runs the vision encoder to find out',
      );
    }
    const [rows, columns] = patchGrid(pixels, side);
    return rows * columns;
  }
}
