// Turns a question and pictures into a model's inputs: the chat template, and each processor's own way of being called.

import type { Processor, RawImage, Tensor } from '@huggingface/transformers';
import { UsageError } from '../errors/usage-error.js';

type Library = typeof import('@huggingface/transformers');

/** What a processor returns, by name. */
export type ModelInputs = Readonly<Record<string, Tensor>>;

/**
 * Builds the inputs of `generate`.
 * @param template A prompt with `{question}` and one `<image>` per picture, in place of the model's chat template.
 * @throws UsageError if the model has no chat template and none was given, or its processor cannot take this.
 */
export async function buildInputs(
  library: Library,
  processor: Processor,
  images: readonly RawImage[],
  question: string,
  template?: string,
): Promise<ModelInputs> {
  const { Processor: Plain, VLChatProcessor } = library;
  if (processor.constructor === Plain) {
    throw new UsageError(
      'transformers.js has no processor for this model that joins pictures and text, so it cannot be asked from the command line; call it from code with @mmtok/transformers.',
    );
  }
  try {
    // Janus applies its template itself.
    if (processor instanceof VLChatProcessor) return await callJanus(processor, images, question);
    const prompt =
      // As a function: in a text, `$&` and the like would mean something.
      template?.replaceAll('{question}', () => question) ??
      fromChatTemplate(processor, images.length, question);
    return await call(library, processor, images, prompt);
  } catch (error) {
    if (images.length === 1 || error instanceof UsageError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The processor of this model cannot take these ${images.length} pictures together (${reason}). Try one.`,
    );
  }
}

/** An error of asking; in terms of `--prompt` where that is the cause, for a prompt that has no place for the picture. */
export function explainPromptFailure(error: unknown, template: string | undefined): unknown {
  const isCause = error instanceof Error && /tokens and features do not match/i.test(error.message);
  if (template === undefined || !isCause) return error;
  return new UsageError(
    `--prompt: '${template}' has no place for each picture (${error.message}). Write the model's image placeholder, mostly <image>, once per picture.`,
  );
}

function fromChatTemplate(processor: Processor, images: number, question: string): string {
  const content = [
    ...Array.from({ length: images }, () => ({ type: 'image' })),
    { type: 'text', text: question },
  ];
  const hasTemplate = processor.chat_template != null || processor.tokenizer?.chat_template != null;
  if (!hasTemplate) {
    throw new UsageError(
      'This model has no chat template; write its prompt yourself, e.g. --prompt "USER: <image>\\n{question} ASSISTANT:".',
    );
  }
  return processor.apply_chat_template([{ role: 'user', content }], {
    tokenize: false,
    add_generation_prompt: true,
  }) as string;
}

async function call(
  library: Library,
  processor: Processor,
  images: readonly RawImage[],
  prompt: string,
): Promise<ModelInputs> {
  const { LlavaProcessor, PixtralProcessor, PaliGemmaProcessor, Lfm2VlProcessor, Florence2Processor } =
    library;
  const several = images.length > 1;
  if (processor instanceof LlavaProcessor && several) {
    const inputs: ModelInputs = await processor([...images], prompt);
    return { ...inputs, ...expandAll(processor, prompt, inputs) };
  }
  if (processor instanceof library.Qwen2VLProcessor && several) {
    return await callQwen(library, processor, images, prompt);
  }
  const takesImagesFirst = [
    LlavaProcessor,
    PixtralProcessor,
    PaliGemmaProcessor,
    Lfm2VlProcessor,
    Florence2Processor,
  ].some((type) => processor instanceof type);
  return takesImagesFirst ? await processor([...images], prompt) : await processor(prompt, [...images]);
}

/** LLaVA's processor makes room for the first picture only (transformers.js 4.3); this does it for all. */
function expandAll(processor: Processor, prompt: string, { pixel_values }: ModelInputs): ModelInputs {
  const { image_token, patch_size, num_additional_image_tokens } = processor.config as LlavaProcessorConfig;
  const [height = 0, width = 0] = pixel_values?.dims.slice(-2) ?? [];
  const tokens =
    Math.floor(height / patch_size) * Math.floor(width / patch_size) + (num_additional_image_tokens ?? 0);
  return { ...processor.tokenizer?.(prompt.replaceAll(image_token, image_token.repeat(tokens))) };
}

interface LlavaProcessorConfig {
  readonly image_token: string;
  readonly patch_size: number;
  readonly num_additional_image_tokens?: number;
}

/**
 * Qwen's image processor takes several pictures for frames of one video (transformers.js 4.3). Here the processor works
 * as ever, but for an image processor that is called once per picture.
 */
async function callQwen(
  { cat }: Library,
  processor: Processor,
  images: readonly RawImage[],
  prompt: string,
): Promise<ModelInputs> {
  const imageProcessor = processor.image_processor as NonNullable<Processor['image_processor']>;
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

/** Janus takes a conversation of its own form. */
async function callJanus(
  processor: Processor,
  images: readonly RawImage[],
  question: string,
): Promise<ModelInputs> {
  const content = `${'<image_placeholder>\n'.repeat(images.length)}${question}`;
  return await processor([{ role: '<|User|>', content }], { images: [...images] });
}
