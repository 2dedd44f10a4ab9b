// The selector of the engine `vllm`: a transformers.js model without its decoder, pruned by @mmtok/transformers. Instead of
// running the decoder, it reads the vision rows from the shortened prompt.

import type { PreTrainedModel, RawImage } from '@huggingface/transformers';
import { type PruneOptions, type PruneReport, processInputs, prune } from '@mmtok/transformers';
import { meanCoverage } from '../engine.js';
import { BadRequestError, ServeStartError } from '../errors.js';
import type { CheckedImage } from '../images/load.js';
import { type ChatMessage, callOptions, lastQuestion } from '../request/chat.js';
import { createPromptCheck } from '../request/prompt-check.js';
import { type LoadEncoderOptions, type LoadedEncoder, loadEncoder } from './load-encoder.js';
import {
  routeOf,
  type SelectedImage,
  type SelectedImages,
  type SelectOptions,
  type VisionSelector,
} from './selector.js';

/** Options of {@link createVisionSelector}. */
export interface VisionSelectorOptions extends LoadEncoderOptions {
  /** How many vision tokens to keep unless the request says otherwise. @default `{ ratio: 0.1 }` */
  readonly budget?: PruneOptions['budget'] | undefined;
  /** Further selection options: objective, `select`, allocation, word filter, agent. */
  readonly selection?: Omit<PruneOptions, 'processor' | 'budget' | 'positions' | 'followUps'> | undefined;
  /** Images whose encodings are kept for further questions. @default 8 */
  readonly cachedImages?: number | undefined;
}

/**
 * Loads the encoder of a model that vLLM serves: its export for transformers.js, a folder or a hub id.
 * @throws ServeStartError if it cannot be loaded, if vLLM takes no rows of its family, or for `positions: 'preserve'`.
 */
export async function createVisionSelector(
  source: string,
  options: VisionSelectorOptions = {},
): Promise<VisionSelector> {
  const { budget = { ratio: 0.1 }, selection = {}, cachedImages = 8, ...loading } = options;
  if ((selection as Partial<PruneOptions>).positions === 'preserve') {
    throw new ServeStartError(
      'usage',
      "positions: 'preserve' is not possible in front of vLLM, which numbers the rows that it receives consecutively. Leave it out.",
    );
  }
  const encoder = await loadEncoder(source, loading);
  try {
    const route = routeOf(encoder.config);
    const model = modelWithoutDecoder(encoder);
    const handle = prune(model as unknown as PreTrainedModel, {
      // Prefill runs on another machine, so its cost cannot be predicted here.
      costGuard: false,
      ...selection,
      budget,
      // Encodings of recent images are reused by further questions about them.
      followUps: 'reselect',
      visionCacheSize: cachedImages,
      // The server numbers rows without gaps.
      positions: 'compact',
      processor: encoder.processor,
      modelId: source,
    });
    const hiddenSize = await widthOf(model, encoder);
    return {
      modelId: source,
      family: handle.family,
      hiddenSize,
      route,
      imageSide: imageSideOf(encoder),
      checkPrompt: createPromptCheck({ config: encoder.config, tokenizer: encoder.processor.tokenizer }),
      select: (images, messages, settings) => select(encoder, model, { images, messages, settings }),
      async dispose() {
        await handle.restore();
        await encoder.dispose();
      },
    };
  } catch (error) {
    await encoder.dispose();
    throw error;
  }
}

/** A tensor of transformers.js. */
interface TensorLike {
  readonly data: ArrayLike<number | bigint>;
  readonly dims: readonly number[];
  to(type: 'float32'): TensorLike & { readonly data: Float32Array };
}

/** What `prune` needs from a model. Its `forward` takes the place of a decoder. */
interface ModelWithoutDecoder {
  readonly config: LoadedEncoder['config'];
  readonly sessions: Readonly<Record<string, unknown>>;
  forward_params: readonly string[];
  forward(inputs: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  generate(): Promise<never>;
  prepare_inputs_for_generation(): never;
}

function modelWithoutDecoder({ config, sessions }: LoadedEncoder): ModelWithoutDecoder {
  const refuse = (): never => {
    throw new Error('this model has no decoder');
  };
  return {
    config,
    sessions: { ...sessions, decoder_model_merged: { inputNames: [], outputNames: [], run: refuse } },
    forward_params: [],
    forward: async ({ input_ids, inputs_embeds }) => ({ input_ids, inputs_embeds }),
    generate: async () => refuse(),
    prepare_inputs_for_generation: refuse,
  };
}

/** The side of square images that the image processor does not resize, if its configuration says so. */
function imageSideOf({ processor }: LoadedEncoder): number | undefined {
  const { crop_size, size } = (processor.image_processor?.config ?? {}) as {
    readonly crop_size?: { readonly height?: number };
    readonly size?: { readonly height?: number; readonly shortest_edge?: number };
  };
  return crop_size?.height ?? size?.height ?? size?.shortest_edge;
}

/** The row width of the embedding table. */
async function widthOf(model: ModelWithoutDecoder, { library }: LoadedEncoder): Promise<number> {
  const session = model.sessions.embed_tokens as {
    run(feeds: object): Promise<Readonly<Record<string, { readonly dims: readonly number[] }>>>;
  };
  const ids = new library.Tensor('int64', BigInt64Array.of(0n), [1, 1]);
  const { inputs_embeds } = await session.run({ input_ids: ids.ort_tensor });
  const width = inputs_embeds?.dims.at(-1);
  if (width === undefined)
    throw new ServeStartError('data', "The model's embedding table has no output inputs_embeds.");
  return width;
}

interface Selection {
  readonly images: readonly CheckedImage[];
  readonly messages: readonly ChatMessage[];
  readonly settings: SelectOptions;
}

async function select(
  encoder: LoadedEncoder,
  model: ModelWithoutDecoder,
  { images, messages, settings }: Selection,
): Promise<SelectedImages> {
  const { library, processor, config } = encoder;
  const decoded = await Promise.all(images.map((image) => decode(encoder, image)));
  settings.signal.throwIfAborted();
  const { overrides } = settings;
  const question = lastQuestion(messages);
  // The server has the conversation. The selection needs only the images and the question.
  const content = [
    ...decoded.map(() => ({ type: 'image' as const })),
    { type: 'text' as const, text: question },
  ];
  const inputs = await processInputs(library, processor, {
    messages: [{ role: 'user', content }],
    images: decoded,
    config,
  });
  let report: PruneReport | undefined;
  const shortened = await model.forward({
    ...inputs,
    mmtok: {
      question,
      // An agent sees the original images.
      images: decoded,
      ...(overrides === false ? { budget: { ratio: 1 } } : callOptions(overrides)),
      minVisionTokens: 0,
      onReport: (each: PruneReport) => {
        report = each;
      },
    },
  });
  if (report === undefined) throw new Error('the selection returned no report');
  const { encodeMs, selectMs } = report.timings;
  return {
    reason: overrides === false ? 'disabled' : report.reason,
    images: rowsOf(shortened, config, report),
    coverage: meanCoverage(report.images),
    timings: { encodeMs, selectMs },
  };
}

/** @throws BadRequestError for files that are broken after their header. */
async function decode({ library }: LoadedEncoder, { bytes, mediaType }: CheckedImage): Promise<RawImage> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: mediaType });
  return await library.RawImage.fromBlob(blob).catch((cause: unknown) => {
    throw new BadRequestError('An image cannot be decoded.', { cause });
  });
}

/** The kept rows of each image, which replaced placeholders in the shortened prompt. */
function rowsOf(
  { input_ids, inputs_embeds }: Readonly<Record<string, unknown>>,
  config: LoadedEncoder['config'],
  report: PruneReport,
): readonly SelectedImage[] {
  const placeholder = Number(config.image_token_index ?? config.image_token_id);
  const ids = Array.from((input_ids as TensorLike).data, Number);
  const embeds = (inputs_embeds as TensorLike).to('float32');
  const width = embeds.dims.at(-1) ?? 0;
  const positions = ids.flatMap((id, position) => (id === placeholder ? [position] : []));
  let next = 0;
  return report.images.map(({ visionTokens, keptTokens, promptTokens = keptTokens }) => {
    const data = new Float32Array(promptTokens * width);
    for (let row = 0; row < promptTokens; row++) {
      const start = (positions[next++] ?? 0) * width;
      data.set(embeds.data.subarray(start, start + width), row * width);
    }
    return { rows: { data, dims: [promptTokens, width] }, visionTokens, keptTokens };
  });
}
