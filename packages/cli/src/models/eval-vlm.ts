// A transformers.js model under evaluation: methods choose its vision tokens. It knows no method and no task.

import type { Processor, RawImage, Tensor } from '@huggingface/transformers';
import {
  BrokenQuestionError,
  type EvalModel,
  type ModelAnswer,
  type ModelImage,
  type ModelRequest,
  type SelectorNeed,
} from '@mmtok/eval';
import { type ImageReport, type PruneHandle, type PruneReport, prune } from '@mmtok/transformers';
import { buildInputs, explainPromptFailure, type ModelInputs } from './build-inputs.js';
import { ChoiceHook } from './choice-hook.js';
import type { LibraryModel } from './load-vlm.js';
import { placeholderProblem } from './placeholder.js';
import { readRawImages } from './raw-images.js';
import { type TimedSession, timeSessions } from './session-clock.js';
import type { VlmOptions } from './vlm.js';

/** An {@link EvalModel} that can be freed. */
export interface EvalVlmModel extends EvalModel {
  dispose(): Promise<void>;
}

/** An {@link EvalModel} on transformers.js. The encoded pictures of the last prompts are kept. */
export class EvalVlm implements EvalVlmModel {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly gives: readonly SelectorNeed[];
  private readonly model: LibraryModel;
  private readonly promptTemplate: string | undefined;
  private readonly hook = new ChoiceHook();
  private readonly handle: PruneHandle;
  /** The last prompt. */
  private prepared: Prepared | undefined;
  /** How the tokens of the last pictures lie. */
  private layout: { readonly key: string; readonly images: readonly ImageReport[] } | undefined;

  /** @throws UnsupportedModelError if the model cannot be pruned. */
  constructor(model: LibraryModel, options: Omit<VlmOptions, 'backend'>) {
    const { model: name, promptTemplate, device, dtype } = options;
    this.name = name;
    this.model = model;
    this.promptTemplate = promptTemplate;
    this.options = {
      ...(device !== undefined && { device }),
      ...(dtype !== undefined && { dtype: typeof dtype === 'string' ? dtype : JSON.stringify(dtype) }),
      ...(promptTemplate !== undefined && { prompt: promptTemplate }),
    };
    const encoder = (model.loaded.model.sessions as Record<string, TimedSession | undefined>).vision_encoder;
    const isSalient = encoder?.outputNames.includes('vision_saliency') === true;
    this.gives = isSalient ? ['text', 'saliency'] : ['text'];
    this.handle = prune(model.loaded.model, {
      processor: model.loaded.processor,
      backend: this.hook,
      budget: { ratio: 1 },
      minVisionTokens: 1,
      // Keeps pictures encoded from one call to the next.
      turns: 'reselect',
    } as Parameters<typeof prune>[1]);
  }

  async answer({ images, prompt, maxNewTokens, words, choose }: ModelRequest): Promise<ModelAnswer> {
    const pictures = images.map(({ id }) => id).join('\n');
    const { inputs, rawImages } = await this.prepare(images, prompt, `${pictures}\n${prompt}`);
    if (choose === undefined) {
      const told = await this.generate(inputs, maxNewTokens, { budget: { ratio: 1 } });
      this.layout = { key: pictures, images: told.report.images };
      return answerOf(told);
    }
    if (this.layout?.key !== pictures) {
      const { report } = await this.generate(inputs, 1, { budget: { ratio: 1 } });
      this.layout = { key: pictures, images: report.images };
    }
    const layouts = this.layout.images;
    let picture = 0;
    const chosen = this.hook.during((features) => {
      const { tiles, saliency } = layouts[picture++] as ImageReport;
      const [only] = tiles;
      return choose({
        ...features,
        tiles: tiles.map(({ tokensBefore }) => tokensBefore),
        ...(tiles.length === 1 && only?.grid && { grid: only.grid }),
        ...(saliency && { saliency }),
      });
    });
    const asked = {
      ...chosen,
      question: prompt,
      ...(words && { agent: async () => ({ answer: words.join(' '), added: words }), images: rawImages }),
    };
    return answerOf(await this.generate(inputs, maxNewTokens, asked));
  }

  async countTokens({ images, prompt }: Pick<ModelRequest, 'images' | 'prompt'>): Promise<number[]> {
    // A prompt tells of all its pictures together.
    if (images.length !== 1) return [];
    const { inputs } = await this.prepare(images, prompt, `${images[0]?.id}\n${prompt}`);
    return this.handle.countTokens(inputs).map(({ vision }) => vision);
  }

  async dispose(): Promise<void> {
    this.handle.detach();
    await this.model.loaded.model.dispose();
  }

  /** The processor's work, done once for all methods and budgets. */
  private async prepare(images: ModelRequest['images'], prompt: string, key: string): Promise<Prepared> {
    if (this.prepared?.key === key) return this.prepared;
    const { library, loaded } = this.model;
    const problem = placeholderProblem(loaded.processor, prompt);
    if (problem !== undefined) throw new BrokenQuestionError(problem);
    const rawImages = await readRawImages(library, images);
    const inputs = await buildInputs(library, loaded.processor, rawImages, prompt, this.promptTemplate);
    this.prepared = { key, rawImages, inputs };
    return this.prepared;
  }

  private async generate(
    inputs: ModelInputs,
    maxNewTokens: number,
    mmtok: Parameters<PruneHandle['generate']>[0]['mmtok'],
  ): Promise<Told> {
    const { model, processor } = this.model.loaded;
    const sessions = Object.values(model.sessions as Record<string, TimedSession>);
    const { result, times } = await timeSessions(sessions, () =>
      this.handle.generate({ ...inputs, max_new_tokens: maxNewTokens, do_sample: false, mmtok: mmtok ?? {} }),
    ).catch((error: unknown) => {
      throw explainPromptFailure(error, this.promptTemplate);
    });
    const text = newText(result as Tensor, inputs, processor, model.config);
    return { text, times, report: this.handle.lastSelection as PruneReport };
  }
}

/** A prompt and its pictures, ready to be asked. */
interface Prepared {
  readonly key: string;
  readonly rawImages: readonly RawImage[];
  readonly inputs: ModelInputs;
}

interface Told {
  readonly text: string;
  readonly times: ModelAnswer['timings'];
  readonly report: PruneReport;
}

function answerOf({ text, times, report }: Told): ModelAnswer {
  const images = report.images.map(({ tokensBefore, indices, tiles }): ModelImage => {
    const grid = tiles.length === 1 ? tiles[0]?.grid : undefined;
    return { visionTokens: tokensBefore, indices, ...(grid && { grid }) };
  });
  return { text, images, timings: times };
}

/** What the model wrote after the prompt. Encoder-decoders answer apart from it. */
function newText(sequences: Tensor, inputs: ModelInputs, processor: Processor, config: unknown): string {
  const isApart = (config as { readonly is_encoder_decoder?: boolean }).is_encoder_decoder === true;
  const promptLength = isApart ? 0 : (inputs.input_ids?.dims.at(-1) ?? 0);
  const written = sequences.slice(null, [promptLength, sequences.dims.at(-1) ?? 0]);
  return (processor.batch_decode(written, { skip_special_tokens: true })[0] ?? '').trim();
}
