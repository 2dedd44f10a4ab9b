// Loads any of the models through plain transformers.js and asks it questions.
import type {
  PreTrainedModel,
  PreTrainedTokenizer,
  PretrainedModelOptions,
  Processor,
  RawImage,
  Tensor,
} from '@huggingface/transformers';
import { files } from '#files';
import { folderOf, type ModelSize } from './model-size.js';
import { prepareAlike } from './prepare-alike.js';
import { TinyVlmError } from './tiny-vlm-error.js';

/**
 * Which model to load, and where and how to run it; the latter options go to transformers.js unchanged. The base model has
 * weights in `fp32` (its default), `fp16`, and `q8`, the small and the tiled one in `fp16`. In Node, the threads of its sessions do not
 * spin while idle (`force_spinning_stop`), unless `session_options` have an `extra` of their own.
 */
export interface LoadTinyVlmOptions
  extends Pick<PretrainedModelOptions, 'device' | 'dtype' | 'progress_callback' | 'session_options'> {
  /** Which of the models to load. @default 'base' */
  readonly size?: ModelSize;
  /**
   * In browsers: the URL where this package's folders `model`, `model-small`, and `model-tiled` are served, relative to the
   * page or absolute. Ignored in Node.
   */
  readonly baseUrl?: string | URL;
}

/**
 * The loaded model: ordinary transformers.js objects, and a shortcut to ask one question. `createVlm` of `@mmtok/transformers`
 * accepts it directly.
 */
export interface TinyVlm {
  /** A `LlavaForConditionalGeneration`; for the tiled model, an `Idefics3ForConditionalGeneration`. */
  readonly model: PreTrainedModel;
  /** Resizes images identically in Node and in browsers, unlike the processors of transformers.js. */
  readonly processor: Processor;
  readonly tokenizer: PreTrainedTokenizer;
  /** The copy of transformers.js that loaded the model. */
  readonly library: TransformersLibrary;
  /** The folder that the model was loaded from. */
  readonly source: string;
  /** The family that the model belongs to. */
  readonly family: string;
  /** `model_type` of its configuration. */
  readonly modelType: string;
  /** The output of its vision encoder with the features from before the projector. */
  readonly tap: { readonly tensor: 'vision_features' };
  /**
   * Answers one question about an image with `model.generate`, so anything attached to `model` applies.
   *
   * @param image An image, its path, or its URL. It is resized to the model's input size: a square, or at most 256 pixels along
   * the longer edge for the tiled model.
   * @param generateOptions Further options of `model.generate`.
   * @returns The answer: one word, or a short phrase if the question asks for a description or for the text of a sign.
   */
  readonly ask: (
    image: RawImage | string,
    question: string,
    generateOptions?: Readonly<Record<string, unknown>>,
  ) => Promise<string>;
}

/** The processor's output for an image and a prompt; only the fields used here. */
interface ProcessedInputs {
  readonly input_ids: Tensor;
}

/**
 * Loads model, processor, and tokenizer from the package's own files: from disk, or in browsers from a server.
 *
 * @throws TinyVlmError `MMTOK_TRANSFORMERS_MISSING` if transformers.js is not installed; `MMTOK_INVALID_OPTIONS` for an
 * unknown size, and in browsers without a `baseUrl`.
 * @example
 * const vlm = await loadTinyVlm();
 * const [{ image }] = await samples();
 * await vlm.ask(image, 'What size is the red cross?'); // 'large'
 */
export async function loadTinyVlm({
  size = 'base',
  baseUrl,
  ...options
}: LoadTinyVlmOptions = {}): Promise<TinyVlm> {
  const source = files.modelSource(folderOf(size), baseUrl);
  const library = await importTransformers();
  const { AutoProcessor, env, RawImage } = library;
  const modelClass =
    library[size === 'tiled' ? 'Idefics3ForConditionalGeneration' : 'LlavaForConditionalGeneration'];
  const [processor, model] = await withLocalModels(env, async () => [
    await AutoProcessor.from_pretrained(source, {
      ...(options.progress_callback && { progress_callback: options.progress_callback }),
      local_files_only: true,
    }),
    await modelClass.from_pretrained(source, {
      ...options,
      session_options: { ...files.sessionOptions, ...options.session_options },
      local_files_only: true,
    }),
  ]);
  prepareAlike(processor, library);

  const ask: TinyVlm['ask'] = async (image, question, generateOptions = {}) => {
    const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }];
    const prompt = processor.apply_chat_template(messages, { add_generation_prompt: true });
    const pixels = await RawImage.read(image);
    // Processors differ in which argument comes first.
    const inputs: ProcessedInputs = await (size === 'tiled'
      ? processor(prompt, [pixels])
      : processor(pixels, prompt));
    const sequences = (await model.generate({ ...inputs, ...generateOptions })) as Tensor;
    const newTokens = sequences.slice(null, [inputs.input_ids.dims.at(-1)!, sequences.dims.at(-1)!]);
    const [answer] = processor.batch_decode(newTokens, { skip_special_tokens: true });
    return answer!;
  };
  return {
    model,
    processor,
    tokenizer: processor.tokenizer!,
    library,
    source,
    ...(size === 'tiled'
      ? { family: 'Idefics 3, SmolVLM', modelType: 'idefics3' }
      : { family: 'LLaVA', modelType: 'llava' }),
    tap: { tensor: 'vision_features' },
    ask,
  };
}

/**
 * The prompt for one image and one question: `<image> question {question} answer`.
 *
 * It is the same string that `processor.apply_chat_template` makes from the model's own chat template; use this if you have
 * no processor. Write questions in ordinary English: the tokenizer lowercases and splits off punctuation.
 *
 * @example
 * buildPrompt('Is there a red circle in the image?');
 * // '<image> question Is there a red circle in the image? answer'
 */
export function buildPrompt(question: string): string {
  return `<image> question ${question} answer`;
}

/** How many models are being loaded, and the setting before the first of them. */
let loading = 0;
let allowedBefore = true;

/** In browsers, transformers.js loads from paths only if that is allowed, and the setting applies to all models. */
async function withLocalModels<R extends readonly unknown[]>(
  env: { allowLocalModels: boolean },
  load: () => Promise<readonly [...R]>,
): Promise<readonly [...R]> {
  if (loading++ === 0) allowedBefore = env.allowLocalModels;
  env.allowLocalModels = true;
  try {
    return await load();
  } finally {
    if (--loading === 0) env.allowLocalModels = allowedBefore;
  }
}

/** transformers.js is an optional peer: questions and scenes work without it. */
type TransformersLibrary = typeof import('@huggingface/transformers');

/**
 * Imports transformers.js.
 * @throws TinyVlmError `MMTOK_TRANSFORMERS_MISSING` if it is not installed. Any other error of loading it is rethrown.
 */
export async function importTransformers(
  importLibrary: () => Promise<TransformersLibrary> = () => import('@huggingface/transformers'),
): Promise<TransformersLibrary> {
  try {
    return await importLibrary();
  } catch (cause) {
    if (!isMissingPackage(cause)) throw cause;
    throw new TinyVlmError(
      'MMTOK_TRANSFORMERS_MISSING',
      "loadTinyVlm() needs the package '@huggingface/transformers' (version 4.3 or later), which is not installed",
      { hint: 'Install it next to @mmtok/tiny-vlm: npm install @huggingface/transformers', cause },
    );
  }
}

/** Whether Node found no transformers.js at all, rather than a broken one. */
function isMissingPackage(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes("'@huggingface/transformers'");
}
