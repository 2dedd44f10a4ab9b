// A transformers.js model with pruning attached, as commands see it.

import type { Processor, Tensor } from '@huggingface/transformers';
import {
  type LoadedVlm,
  type ModelInputs,
  type PruneHandle,
  type PruneReport,
  prune,
} from '@mmtok/transformers';
import type { Picture } from '../images/picture.js';
import { inputsOf, newText } from './eval-vlm.js';
import { type ImageProcessing, type PixelTensor, seenViews } from './seen-views.js';
import type { Answer, PictureTokens, Request, Vlm, VlmOptions } from './vlm.js';

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
        firstTokenMs: report.timings.firstTokenMs,
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
    case 'costsMore':
      // The report's own note tells the numbers.
      return said;
    case 'belowMinVisionTokens':
      return [...said, `${all}: pruning so few would cost more than it saves`];
    default:
      return said;
  }
}
