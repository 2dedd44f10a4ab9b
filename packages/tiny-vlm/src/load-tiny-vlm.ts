// Loads either model through plain transformers.js and asks it questions. It prunes nothing: attach a pruner to `model`.
import type {
  PreTrainedModel,
  PreTrainedTokenizer,
  PretrainedModelOptions,
  Processor,
  RawImage,
  Tensor,
} from '@huggingface/transformers';
import { type ModelSize, pathOf } from './model-path.js';
import { importTransformers } from './transformers-library.js';

/**
 * Which model, and where and how to run it; the latter goes to transformers.js as it is. The base model has weights in
 * `fp32` (its default), `fp16` and `q8`, the small one in `fp16`.
 */
export interface LoadTinyVlmOptions
  extends Pick<PretrainedModelOptions, 'device' | 'dtype' | 'session_options'> {
  /** The model as ever, or its smaller sibling. @default 'base' */
  readonly size?: ModelSize;
}

/** The loaded model: ordinary transformers.js objects, and a shortcut to ask one question. */
export interface TinyVlm {
  /** A `LlavaForConditionalGeneration`. */
  readonly model: PreTrainedModel;
  readonly processor: Processor;
  readonly tokenizer: PreTrainedTokenizer;
  /**
   * Answers one question about an image by `model.generate`, so whatever is attached to `model` takes part.
   *
   * @param image An image, its path or its URL. It is resized to what the model takes, a square.
   * @param generateOptions Further options of `model.generate`.
   * @returns The answer: one word, or a short phrase if the question asks for a description.
   */
  readonly ask: (
    image: RawImage | string,
    question: string,
    generateOptions?: Readonly<Record<string, unknown>>,
  ) => Promise<string>;
}

/** What the processor makes of an image and a prompt, as far as it is read here. */
interface ProcessedInputs {
  readonly input_ids: Tensor;
}

/**
 * Loads model, processor and tokenizer from the package's own files, without network.
 *
 * @throws TinyVlmError `MMTOK_TRANSFORMERS_MISSING` when transformers.js is not installed; `MMTOK_INVALID_OPTIONS` for a
 * size that there is not.
 * @example
 * const vlm = await loadTinyVlm();
 * const [{ image }] = await samples();
 * await vlm.ask(image, 'What size is the red cross?'); // 'large'
 */
export async function loadTinyVlm({ size = 'base', ...options }: LoadTinyVlmOptions = {}): Promise<TinyVlm> {
  const path = pathOf(size);
  const { AutoProcessor, LlavaForConditionalGeneration, RawImage } = await importTransformers();
  const processor = await AutoProcessor.from_pretrained(path, { local_files_only: true });
  const model = await LlavaForConditionalGeneration.from_pretrained(path, {
    ...options,
    local_files_only: true,
  });

  const ask: TinyVlm['ask'] = async (image, question, generateOptions = {}) => {
    const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }];
    const prompt = processor.apply_chat_template(messages, { add_generation_prompt: true });
    const inputs: ProcessedInputs = await processor(await RawImage.read(image), prompt);
    const sequences = (await model.generate({ ...inputs, ...generateOptions })) as Tensor;
    const newTokens = sequences.slice(null, [inputs.input_ids.dims.at(-1)!, sequences.dims.at(-1)!]);
    const [answer] = processor.batch_decode(newTokens, { skip_special_tokens: true });
    return answer!;
  };
  return { model, processor, tokenizer: processor.tokenizer!, ask };
}
