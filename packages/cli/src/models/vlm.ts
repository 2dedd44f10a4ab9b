// A vision-language model as commands see it: ask it, pruned or not. Runs on transformers.js.

import type { Processor, Tensor } from '@huggingface/transformers';
import type { Backend, Budget, ObjectiveTerm } from '@mmtok/core';
import {
  type Agent,
  type LoadedVlm,
  type ModelInputs,
  type PruneHandle,
  type PruneReport,
  prune,
} from '@mmtok/transformers';
import type { TokenView } from '../images/overlay.js';
import type { Picture } from '../images/picture.js';
import { inputsOf, newText } from './eval-model.js';
import { type ImageProcessing, type PixelTensor, seenViews } from './seen-views.js';

/** How to run a model. */
export interface VlmOptions {
  /** `tiny`, `tiny-small`, a hub id such as `HuggingFaceTB/SmolVLM2-256M-Video-Instruct`, or a folder. */
  readonly model: string;
  /** Where tokens are selected; the model disposes it with itself. */
  readonly backend: Backend;
  /** An execution provider, e.g. `webgpu`. */
  readonly device?: string;
  /** A precision such as `q4`, for all parts of the model or by part. */
  readonly dtype?: string | Readonly<Record<string, string>>;
  /** A prompt with `<image>` and `{question}` in place of the model's chat template. */
  readonly promptTemplate?: string;
  /** Answers first, so that its words join the question's; whoever made it disposes it. */
  readonly agent?: Agent;
  /** The objective in place of the paper's. */
  readonly coverage?: readonly ObjectiveTerm[];
}

/** A question about pictures. */
export interface Request {
  readonly pictures: readonly Picture[];
  readonly question: string;
  /** How many vision tokens of each picture to keep; `'all'` runs the model untouched. */
  readonly budget: Budget | 'all';
  readonly maxNewTokens?: number;
  /** Receives the answer piece by piece. */
  readonly onText?: (text: string) => void;
}

/** Milliseconds per phase. */
export interface Timings {
  /** Resizing pictures, building and tokenizing the prompt. */
  readonly prepareMs: number;
  /** The vision encoder. */
  readonly encodeMs: number;
  /** Choosing the tokens. */
  readonly selectMs: number;
  /** The language model over the prompt: what pruning shortens. */
  readonly prefillMs: number;
  /** The language model over the answer. */
  readonly decodeMs: number;
  /** From pictures and question to the whole answer. */
  readonly totalMs: number;
}

/** What became of one picture. */
export interface PictureTokens {
  readonly visionTokens: number;
  /** Kept tokens, ascending, counted from the picture's first. */
  readonly indices: readonly number[];
  /** For each coverage term, the share of what all tokens cover that the kept ones cover. */
  readonly coverage: Readonly<Record<string, number>>;
  /** The picture as the encoder saw it, tile by tile; empty where its tokens form no grid. */
  readonly views: readonly TokenView[];
  /** Tiles that lie beside each other, where the picture was cut up. */
  readonly viewColumns?: number;
}

/** What an agent said first, and what of it joined the question. */
export interface AgentWords {
  /** One per picture. */
  readonly answers: readonly string[];
  readonly added: readonly string[];
  readonly ms: number;
}

/** An answer, and what it took. */
export interface Answer {
  readonly text: string;
  /** Vision tokens of all pictures, and how many of them the language model saw. */
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** One per picture; empty where nothing was pruned. */
  readonly pictures: readonly PictureTokens[];
  readonly timings: Timings;
  /** Absent where no agent was asked. */
  readonly agent?: AgentWords;
  /** What the user should know, in words. */
  readonly notes: readonly string[];
}

/** A loaded model with pruning attached. */
export interface Vlm {
  /** What was asked for: an embedded model, a hub id or a folder. */
  readonly name: string;
  /** Where similarities are computed, e.g. `ort (cpu)`. */
  readonly backend: string;
  ask(request: Request): Promise<Answer>;
  /** Frees the model and its backend. */
  dispose(): Promise<void>;
}

type Library = typeof import('@huggingface/transformers');

const DEFAULT_NEW_TOKENS = 128;

/** A {@link Vlm} on transformers.js. */
export class PrunedVlm implements Vlm {
  readonly name: string;
  readonly backend: string;
  private readonly library: Library;
  private readonly loaded: LoadedVlm;
  private readonly options: VlmOptions;
  private readonly handle: PruneHandle;

  /** @throws UnsupportedModelError if the model cannot be pruned. */
  constructor(library: Library, loaded: LoadedVlm, options: VlmOptions) {
    const { backend, agent, coverage } = options;
    this.name = options.model;
    this.backend = `${backend.name} (${backend.device})`;
    this.library = library;
    this.loaded = loaded;
    this.options = options;
    this.handle = prune(loaded.model, {
      processor: loaded.processor,
      backend,
      budget: { ratio: 1 },
      ...(agent && { agent }),
      ...(coverage && { coverage }),
    });
  }

  async ask(request: Request): Promise<Answer> {
    const { pictures, question, budget, maxNewTokens = DEFAULT_NEW_TOKENS, onText } = request;
    const { RawImage, TextStreamer } = this.library;
    const { model, processor } = this.loaded;
    const started = performance.now();
    const images = pictures.map(({ data, width, height }) => new RawImage(data, width, height, 3));
    const inputs = await inputsOf(
      { library: this.library, loaded: this.loaded },
      images,
      question,
      this.options.promptTemplate,
    );
    const prepareMs = performance.now() - started;

    const streamer =
      onText &&
      new TextStreamer(processor.tokenizer as NonNullable<Processor['tokenizer']>, {
        skip_prompt: true,
        skip_special_tokens: true,
        callback_function: onText,
      });
    const sequences = await this.handle.generate({
      ...inputs,
      max_new_tokens: maxNewTokens,
      do_sample: false,
      mmtok: budget === 'all' ? false : { budget, question, images },
      ...(streamer && { streamer }),
    } as never);
    const text = newText(sequences as Tensor, inputs, processor, model.config);
    const totalMs = performance.now() - started;
    const report = this.handle.lastReport as PruneReport;
    const agent = report.prompts[0]?.agent;
    return {
      text,
      visionTokens: report.visionTokens,
      keptTokens: report.keptTokens,
      pictures: budget === 'all' ? [] : this.pictureTokens(report, pictures, inputs),
      timings: {
        prepareMs,
        encodeMs: report.timings.encodeMs,
        selectMs: report.timings.selectMs,
        prefillMs: report.timings.prefillMs,
        decodeMs: report.timings.decodeMs,
        totalMs,
      },
      ...(agent && { agent: { answers: agent.answers, added: agent.added, ms: agent.ms } }),
      notes: [...new Set([...report.notes, ...selectionNotes(report)])],
    };
  }

  async dispose(): Promise<void> {
    await this.handle.restore();
    await this.loaded.model.dispose();
    await this.options.backend.dispose();
  }

  private pictureTokens(
    report: PruneReport,
    pictures: readonly Picture[],
    inputs: ModelInputs,
  ): PictureTokens[] {
    const processing = (this.loaded.processor.image_processor ?? {}) as ImageProcessing;
    const pixels = inputs.pixel_values as PixelTensor | undefined;
    const views = seenViews(report.images, pictures, pixels, processing);
    // Processors that cut pictures into tiles tell how many lie beside each other, as [batch][picture].
    const tileColumns = inputs.cols as unknown as readonly (readonly number[])[] | undefined;
    return report.images.map((image, i) => {
      const columns = tileColumns?.[0]?.[i];
      return {
        visionTokens: image.visionTokens,
        indices: image.indices,
        coverage: image.selections[0]?.coverage ?? {},
        views: views[i] ?? [],
        ...(columns !== undefined && columns > 0 && { viewColumns: columns }),
      };
    });
  }
}

/** Why nothing was pruned, and what the selections have to say. */
function selectionNotes({ reason, images, visionTokens }: PruneReport): string[] {
  const said = images.flatMap(({ selections }) => selections.flatMap(({ notes }) => notes));
  const all = `all ${visionTokens} vision tokens were kept`;
  switch (reason) {
    case 'belowBudget':
      return said.length > 0 ? said : [`${all}: there are no more than the budget allows`];
    case 'belowMinVisionTokens':
      return [...said, `${all}: pruning so few would cost more than it saves`];
    default:
      return said;
  }
}
