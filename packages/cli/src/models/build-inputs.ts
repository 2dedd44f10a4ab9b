// Turns a question and pictures into a model's inputs: the chat template, and each processor's own way of being called.

import type { Processor, RawImage, Tensor } from '@huggingface/transformers';
import { UsageError } from '../errors/usage-error.js';

type Library = typeof import('@huggingface/transformers');

/** What a processor returns, by name. */
export type ModelInputs = Readonly<Record<string, Tensor>>;

/**
 * Builds the inputs of `generate`.
 * @param template A prompt with `{question}` and one `<image>` per picture, in place of the model's chat template.
 * @throws UsageError if the model has no chat template, and none was given, or cannot take several pictures.
 */
export async function buildInputs(
  library: Library,
  processor: Processor,
  images: readonly RawImage[],
  question: string,
  template?: string,
): Promise<ModelInputs> {
  const prompt =
    template?.replaceAll('{question}', question) ?? fromChatTemplate(processor, images.length, question);
  const { LlavaProcessor, PixtralProcessor, PaliGemmaProcessor, Lfm2VlProcessor, Florence2Processor } =
    library;
  const takesImagesFirst = [
    LlavaProcessor,
    PixtralProcessor,
    PaliGemmaProcessor,
    Lfm2VlProcessor,
    Florence2Processor,
  ];
  const isImagesFirst = takesImagesFirst.some((type) => processor instanceof type);
  const parts = isImagesFirst ? [[...images], prompt] : [prompt, [...images]];
  const inputs: ModelInputs = await processor(...parts).catch((error: unknown) => {
    if (images.length === 1) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The processor of this model cannot take these ${images.length} pictures together (${reason}). Try one.`,
    );
  });
  if (inputs.input_ids === undefined) {
    throw new UsageError(
      'transformers.js has no processor for this model that joins pictures and text, so it cannot be asked from the command line; call it from code with @mmtok/transformers.',
    );
  }
  const needsAllExpanded = processor instanceof LlavaProcessor && images.length > 1;
  return needsAllExpanded ? { ...inputs, ...expandAll(processor, prompt, inputs) } : inputs;
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
