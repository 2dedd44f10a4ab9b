// A transformers.js model under evaluation: methods choose its vision tokens through the option `select`. Also the agents that
// methods may ask.

import type { Processor, RawImage, Tensor } from '@huggingface/transformers';
import { type Agent, enrichQuestion } from '@mmtok/agent';
import { MmtokError } from '@mmtok/core';
import { tilingOf } from '@mmtok/core/internal';
import {
  BrokenQuestionError,
  type EvalAgent,
  type EvalAgents,
  type EvalModel,
  type MethodFeatures,
  type ModelAnswer,
  type ModelImage,
  type ModelRequest,
  UnreachableBudgetError,
} from '@mmtok/eval';
import {
  type CallOptions,
  fitImage,
  type LoadedVlm,
  type ModelInputs,
  type PruneHandle,
  type PruneReport,
  prune,
  type TileBudget,
} from '@mmtok/transformers';
import { canFitImages, visionTokensPerImage, withoutPlaceholders } from '@mmtok/transformers/internal';
import { readImage } from '../images/read-image.js';
import { tilesAsWritten } from '../options.js';
import { shorten } from '../terminal/text.js';
import { assertTiles, inputsOf, type VlmOptions } from './vlm.js';

/** An {@link EvalModel} that can be freed. */
export interface EvalVlmModel extends EvalModel {
  dispose(): Promise<void>;
}

/** An {@link EvalModel} on transformers.js. Encoded images are cached between calls. */
export class EvalVlm implements EvalVlmModel {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly gives: NonNullable<EvalModel['gives']>;
  private readonly loaded: LoadedVlm;
  private readonly promptTemplate: string | undefined;
  private readonly tiles: TileBudget;
  private readonly handle: PruneHandle;
  private readonly rotary: RotaryModel | undefined;
  /** Vision tokens of an image by the shape of its pixels. */
  private readonly counts = new Map<string, number>();
  /** The last prompt. */
  private prepared: Prepared | undefined;

  /**
   * @throws UnsupportedModelError if the model cannot be pruned. UsageError for `tiles` if it does not split images into tiles.
   */
  constructor(loaded: LoadedVlm, options: Omit<VlmOptions, 'backend'>) {
    const { model: name, promptTemplate, device, dtype, tiles = 'all' } = options;
    assertTiles(name, loaded, tiles);
    this.name = name;
    this.loaded = loaded;
    this.promptTemplate = promptTemplate;
    this.tiles = tiles;
    this.options = {
      ...(device !== undefined && { device }),
      ...(dtype !== undefined && { dtype: typeof dtype === 'string' ? dtype : JSON.stringify(dtype) }),
      ...(promptTemplate !== undefined && { prompt: promptTemplate }),
      ...(tiles !== 'all' && { tiles: tilesAsWritten(tiles) }),
    };
    const sessions = loaded.model.sessions as Readonly<Record<string, Session | undefined>>;
    this.rotary = rotaryModel(loaded.model.config, Object.values(sessions));
    const isSalient = sessions.vision_encoder?.outputNames.includes('vision_saliency') === true;
    this.gives = [
      'question',
      ...(isSalient ? (['saliency'] as const) : []),
      ...(this.rotary ? (['positions'] as const) : []),
      ...(canFitImages(loaded.processor) ? (['resolution'] as const) : []),
    ];
    this.handle = prune(loaded.model, {
      processor: loaded.processor,
      budget: { ratio: 1 },
      minVisionTokens: 1,
      // Caches encoded images between calls.
      followUps: 'reselect',
    });
  }

  async answer(request: ModelRequest): Promise<ModelAnswer> {
    const { images, prompt, maxNewTokens, words, fitTokens } = request;
    const { inputs, rawImages } = await this.prepare(images, prompt, fitTokens);
    if (request.prune === undefined) {
      return await this.generate(inputs, maxNewTokens, { budget: { ratio: 1 } });
    }
    const { budget, select, keepsPositions = false } = request.prune;
    const positions = keepsPositions ? this.rotary?.positionsOf(inputs) : undefined;
    return await this.generate(inputs, maxNewTokens, {
      budget,
      question: prompt,
      select: (features, { tokens, excluded }) =>
        select(
          { ...features, imageIndex: features.tiles[0]?.image ?? 0, ...(positions && { positions }) },
          tokens,
          excluded,
        ),
      tiles: this.tiles,
      ...(keepsPositions && { positions: 'preserve' }),
      ...(words && { agent: async () => ({ answer: words.join(' '), added: words }), images: rawImages }),
    });
  }

  async countTokens({ images, prompt }: Pick<ModelRequest, 'images' | 'prompt'>): Promise<number[]> {
    // countTokens reports one number for all images of a prompt.
    if (images.length !== 1) return [];
    const { inputs } = await this.prepare(images, prompt);
    return this.handle.countTokens(inputs).map(({ vision }) => vision);
  }

  async dispose(): Promise<void> {
    await this.handle.restore();
    await this.loaded.model.dispose();
  }

  /** Runs the processor once for all methods and budgets. */
  private async prepare(
    images: ModelRequest['images'],
    prompt: string,
    fitTokens?: number,
  ): Promise<Prepared> {
    const key = [...images.map(({ id }) => id), prompt, fitTokens ?? ''].join('\n');
    if (this.prepared?.key === key) return this.prepared;
    const { library, processor } = this.loaded;
    if (withoutPlaceholders(library, processor, prompt) !== prompt) {
      throw new BrokenQuestionError(
        `The question '${shorten(prompt, 80)}' contains the prompt's placeholder for an image; rephrase it`,
      );
    }
    const rawImages = await readRawImages(library, images);
    const [image] = rawImages;
    const fitted =
      fitTokens === undefined || image === undefined
        ? { processor, images: rawImages }
        : await fitOne(processor, image, fitTokens);
    const inputs = await inputsOf({ ...this.loaded, processor: fitted.processor }, fitted.images, prompt, {
      template: this.promptTemplate,
      tokensPerImage: (pixels) => this.tokensPerImage(pixels),
    });
    this.prepared = { key, rawImages, inputs };
    return this.prepared;
  }

  /** Asks the vision encoder, once per shape of pixels; only needed for families without their own processor. */
  private async tokensPerImage(pixels: ModelInputs): Promise<number> {
    const shape = String(pixels.pixel_values?.dims);
    const count = this.counts.get(shape) ?? (await visionTokensPerImage(this.loaded.model as never, pixels));
    this.counts.set(shape, count);
    return count;
  }

  private async generate(
    inputs: ModelInputs,
    maxNewTokens: number,
    mmtok: CallOptions,
  ): Promise<ModelAnswer> {
    const { model, processor } = this.loaded;
    const request = { ...inputs, max_new_tokens: maxNewTokens, do_sample: false, mmtok };
    const sequences = await this.handle.generate(request as never);
    const { images, timings } = this.handle.lastReport as PruneReport;
    return {
      text: newText(sequences as Tensor, inputs, processor, model.config),
      images: images.map(({ visionTokens, indices, tiles, order }): ModelImage => {
        const grid = tiles.length === 1 ? tiles[0]?.grid : undefined;
        const tiling = tilingOf(tiles);
        return {
          visionTokens,
          indices,
          ...(grid && { grid }),
          ...(tiling && { tiling }),
          // No selection ran, and yet not all tokens were kept: the others could not be.
          ...(order === undefined && indices.length < visionTokens && { isExhausted: true as const }),
        };
      }),
      timings,
    };
  }
}

/**
 * Resizes an image to at most `visionTokens`, and returns the processor that produces that number.
 * @throws UnreachableBudgetError if that is not possible.
 */
async function fitOne(
  processor: Processor,
  image: RawImage,
  visionTokens: number,
): Promise<{ readonly processor: Processor; readonly images: readonly RawImage[] }> {
  const fitted = await fitImage(processor, image, { visionTokens }).catch((cause: unknown) => {
    if (!MmtokError.isInstance(cause, 'MMTOK_INVALID_OPTIONS')) throw cause;
    throw new UnreachableBudgetError(visionTokens, { cause });
  });
  return { processor: fitted.processor, images: [fitted.image] };
}

/** The members of an ONNX Runtime session that are read. */
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/** A processed prompt with its images. */
interface Prepared {
  readonly key: string;
  readonly rawImages: readonly RawImage[];
  readonly inputs: ModelInputs;
}

/** The text after the prompt. The output of encoder-decoders does not include the prompt. */
function newText(sequences: Tensor, inputs: ModelInputs, processor: Processor, config: unknown): string {
  const isApart = (config as { readonly is_encoder_decoder?: boolean }).is_encoder_decoder === true;
  const promptLength = isApart ? 0 : (inputs.input_ids?.dims.at(-1) ?? 0);
  const written = sequences.slice(null, [promptLength, sequences.dims.at(-1) ?? 0]);
  return (processor.batch_decode(written, { skip_special_tokens: true })[0] ?? '').trim();
}

/** An agent of @mmtok/agent, which is asked about each image of a question. */
export function evalAgent(name: string, agent: Agent): EvalAgent {
  return {
    name,
    async ask({ images, prompt }) {
      const library = await import('@huggingface/transformers');
      const answers: string[] = [];
      const added = new Set<string>();
      for (const image of await readRawImages(library, images)) {
        const reply = await agent(image, prompt);
        answers.push(reply.answer);
        for (const word of reply.added) added.add(word);
      }
      return { answer: answers.join('\n'), added: [...added] };
    },
  };
}

/** An oracle: the true answer, enriched by the default rules. */
export const evalOracle: NonNullable<EvalAgents['oracle']> = ({ prompt }, truth) => ({
  answer: truth,
  added: enrichQuestion(prompt, truth).added,
});

/** Reads images, from their files if they have any. */
async function readRawImages(
  { RawImage }: Pick<typeof import('@huggingface/transformers'), 'RawImage'>,
  images: ModelRequest['images'],
): Promise<RawImage[]> {
  return await Promise.all(
    images.map(async (image) => {
      const { data, width, height } = await readImage(image.path ?? (await image.read()), '/');
      return new RawImage(data, width, height, 3);
    }),
  );
}

type Positions = NonNullable<MethodFeatures['positions']>;

/** A model with known one-dimensional rotary positions. */
interface RotaryModel {
  /** The positions of a prompt's vision tokens; undefined if it has no placeholders. */
  positionsOf(inputs: ModelInputs): Positions | undefined;
}

/** The members of a model's configuration that are read, of the model or of its language model. */
interface TextConfig {
  readonly hidden_size?: number;
  readonly num_attention_heads?: number;
  readonly head_dim?: number;
  readonly rope_theta?: number;
  readonly rope_scaling?: unknown;
  /** The share of a head's dimensions that are rotated. */
  readonly partial_rotary_factor?: number;
}
interface Config extends TextConfig {
  readonly text_config?: TextConfig;
  readonly image_token_index?: number;
  readonly image_token_id?: number;
}

/**
 * The positions of a model; undefined if its decoder takes no position ids, or its positions are not one-dimensional.
 * @param sessions of the model.
 */
function rotaryModel(
  config: unknown,
  sessions: readonly ({ readonly inputNames: readonly string[] } | undefined)[],
): RotaryModel | undefined {
  const { image_token_index, image_token_id = image_token_index, text_config } = config as Config;
  const text = { ...(config as Config), ...text_config };
  const { hidden_size, num_attention_heads, rope_theta, rope_scaling, partial_rotary_factor = 1 } = text;
  const head = text.head_dim ?? (hidden_size ?? Number.NaN) / (num_attention_heads ?? Number.NaN);
  const width = Math.floor(head * partial_rotary_factor);
  const takesPositions = sessions.some((session) => session?.inputNames.includes('position_ids'));
  const isLine = rope_theta !== undefined && rope_scaling == null && Number.isInteger(width);
  if (image_token_id === undefined || !takesPositions || !isLine) return undefined;
  const frequencies = Float64Array.from({ length: width / 2 }, (_, d) => rope_theta ** ((-2 * d) / width));
  return {
    positionsOf({ input_ids }) {
      const ids = Array.from((input_ids?.data ?? []) as ArrayLike<bigint | number>, Number);
      const places = ids.flatMap((id, position) => (id === image_token_id ? [position] : []));
      return places.length === 0 ? undefined : { ids: [places], frequencies };
    },
  };
}
