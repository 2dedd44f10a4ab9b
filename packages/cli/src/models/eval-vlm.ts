// A transformers.js model under evaluation: methods choose its vision tokens through the option `select`. It knows no method
// and no task.

import type { Processor, RawImage, Tensor } from '@huggingface/transformers';
import {
  BrokenQuestionError,
  type EvalModel,
  type ModelAnswer,
  type ModelImage,
  type ModelRequest,
} from '@mmtok/eval';
import {
  type CallOptions,
  fitImage,
  type ModelInputs,
  type PruneHandle,
  type PruneReport,
  processInputs,
  prune,
} from '@mmtok/transformers';
import { canFitImages, withoutPlaceholders } from '@mmtok/transformers/internal';
import { shorten } from '../terminal/safe-text.js';
import type { LibraryModel } from './load-vlm.js';
import { readRawImages } from './raw-images.js';
import { type RotaryModel, rotaryModel } from './rotary.js';
import type { VlmOptions } from './vlm.js';

/** An {@link EvalModel} that can be freed. */
export interface EvalVlmModel extends EvalModel {
  dispose(): Promise<void>;
}

/** An {@link EvalModel} on transformers.js. The encoded pictures of the last prompts are kept. */
export class EvalVlm implements EvalVlmModel {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly gives: NonNullable<EvalModel['gives']>;
  private readonly model: LibraryModel;
  private readonly promptTemplate: string | undefined;
  private readonly handle: PruneHandle;
  private readonly rotary: RotaryModel | undefined;
  /** The last prompt. */
  private prepared: Prepared | undefined;

  /** @throws UnsupportedModelError if the model cannot be pruned. */
  constructor(model: LibraryModel, options: Omit<VlmOptions, 'backend'>) {
    const { model: name, promptTemplate, device, dtype } = options;
    const { loaded } = model;
    this.name = name;
    this.model = model;
    this.promptTemplate = promptTemplate;
    this.options = {
      ...(device !== undefined && { device }),
      ...(dtype !== undefined && { dtype: typeof dtype === 'string' ? dtype : JSON.stringify(dtype) }),
      ...(promptTemplate !== undefined && { prompt: promptTemplate }),
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
      // Keeps pictures encoded from one call to the next.
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
      select: (features, { tokens }) =>
        select(
          { ...features, picture: features.tiles[0]?.image ?? 0, ...(positions && { positions }) },
          tokens,
        ),
      ...(keepsPositions && { positions: 'preserve' }),
      ...(words && { agent: async () => ({ answer: words.join(' '), added: words }), images: rawImages }),
    });
  }

  async countTokens({ images, prompt }: Pick<ModelRequest, 'images' | 'prompt'>): Promise<number[]> {
    // A prompt tells of all its pictures together.
    if (images.length !== 1) return [];
    const { inputs } = await this.prepare(images, prompt);
    return this.handle.countTokens(inputs).map(({ vision }) => vision);
  }

  async dispose(): Promise<void> {
    await this.handle.restore();
    await this.model.loaded.model.dispose();
  }

  /** The processor's work, done once for all methods and budgets. */
  private async prepare(
    images: ModelRequest['images'],
    prompt: string,
    fitTokens?: number,
  ): Promise<Prepared> {
    const key = [...images.map(({ id }) => id), prompt, fitTokens ?? ''].join('\n');
    if (this.prepared?.key === key) return this.prepared;
    const { library, loaded } = this.model;
    if (withoutPlaceholders(library, loaded.processor, prompt) !== prompt) {
      throw new BrokenQuestionError(
        `The question '${shorten(prompt, 80)}' contains what stands for a picture in prompts; write it otherwise`,
      );
    }
    const rawImages = await readRawImages(library, images);
    const { processor } = loaded;
    const [image] = rawImages;
    const fitted =
      fitTokens === undefined || image === undefined
        ? { processor, images: rawImages }
        : await fitOne(processor, image, fitTokens);
    const inputs = await inputsOf(
      { library, loaded: { ...loaded, processor: fitted.processor } },
      fitted.images,
      prompt,
      this.promptTemplate,
    );
    this.prepared = { key, rawImages, inputs };
    return this.prepared;
  }

  private async generate(
    inputs: ModelInputs,
    maxNewTokens: number,
    mmtok: CallOptions,
  ): Promise<ModelAnswer> {
    const { model, processor } = this.model.loaded;
    const request = { ...inputs, max_new_tokens: maxNewTokens, do_sample: false, mmtok };
    const sequences = await this.handle.generate(request as never);
    const { images, timings } = this.handle.lastReport as PruneReport;
    return {
      text: newText(sequences as Tensor, inputs, processor, model.config),
      images: images.map(({ visionTokens, indices, tiles }): ModelImage => {
        const grid = tiles.length === 1 ? tiles[0]?.grid : undefined;
        return { visionTokens, indices, ...(grid && { grid }) };
      }),
      timings,
    };
  }
}

/** A picture that costs at most so many vision tokens, and the processor that makes so many of it. */
async function fitOne(
  processor: Processor,
  picture: RawImage,
  visionTokens: number,
): Promise<{ readonly processor: Processor; readonly images: readonly RawImage[] }> {
  const fitted = await fitImage(processor, picture, { visionTokens });
  return { processor: fitted.processor, images: [fitted.image] };
}

/** The members of an ONNX Runtime session that are read. */
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/** A prompt and its pictures, ready to be asked. */
interface Prepared {
  readonly key: string;
  readonly rawImages: readonly RawImage[];
  readonly inputs: ModelInputs;
}

/** The inputs of `generate` for one question about pictures, by the model's own processor. */
export function inputsOf(
  { library, loaded }: LibraryModel,
  images: readonly RawImage[],
  question: string,
  template: string | undefined,
): Promise<ModelInputs> {
  const places = images.map(() => ({ type: 'image' }) as const);
  return processInputs(library, loaded.processor, {
    messages: [{ role: 'user', content: [...places, { type: 'text', text: question }] }],
    images,
    template,
    config: loaded.model.config as never,
  });
}

/** What the model wrote after the prompt. Encoder-decoders answer apart from it. */
export function newText(
  sequences: Tensor,
  inputs: ModelInputs,
  processor: Processor,
  config: unknown,
): string {
  const isApart = (config as { readonly is_encoder_decoder?: boolean }).is_encoder_decoder === true;
  const promptLength = isApart ? 0 : (inputs.input_ids?.dims.at(-1) ?? 0);
  const written = sequences.slice(null, [promptLength, sequences.dims.at(-1) ?? 0]);
  return (processor.batch_decode(written, { skip_special_tokens: true })[0] ?? '').trim();
}
