// createVlm(): loads a vision-language model, attaches pruning, and answers questions about images.

import type { PreTrainedModel, Processor, RawImage, Tensor } from '@huggingface/transformers';
import { DisposedError, InvalidOptionsError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { InputError } from './errors.js';
import { type ModelInputs, processInputs } from './families/process.js';
import { lastQuestion } from './families/prompt-text.js';
import { type LoadedVlm, type LoadVlmOptions, loadOptionShape, loadVlm } from './files/load-vlm.js';
import type { Library } from './internal/types.js';
import { untilAborted } from './internal/until-aborted.js';
import { Planner } from './plan/planner.js';
import type { PruneHandle } from './prune.js';
import type { PruneReport } from './report.js';
import { type Answer, type AnswerStream, PieceStreamer, streamAnswer } from './vlm/answer.js';
import { readImage } from './vlm/images.js';
import {
  type AskOptions,
  type AskRequest,
  isTimeBudget,
  type Keep,
  keepSchema,
  type ResolvedRequest,
  resolveRequest,
  type TimeBudget,
} from './vlm/request.js';
import { checkPruning, keepOptions, type PruningOptions, Runner, usageOf } from './vlm/runner.js';

/** Options of {@link createVlm}: how many vision tokens to keep, the options of {@link loadVlm}, and the options of `prune`. */
export interface CreateVlmOptions extends LoadVlmOptions, PruningOptions {
  /**
   * How many vision tokens of each image to keep: a ratio between 0 and 1, an integer token count of at least 1, a budget such as
   * `{ coverage: 0.95 }`, or `false` to keep all. `{ firstTokenMs: 500 }` encodes and keeps as many tokens as possible while the
   * first token still arrives within this many milliseconds.
   * @default 0.1
   */
  readonly keep?: Keep;
}

/** A vision-language model that answers from a subset of its vision tokens. */
export interface Vlm {
  readonly model: PreTrainedModel;
  readonly processor: Processor;
  /** The copy of transformers.js that the model belongs to. */
  readonly library: Library;
  /** The handle of `prune`. Use it to call `generate` with your own inputs. */
  readonly handle: PruneHandle;
  /** Name of the model family, e.g. `'SmolVLM 2'`. */
  readonly family: string;
  /** Hub id or folder of the model. */
  readonly modelId: string;
  /**
   * Asks about images, or continues a conversation. Calls run one at a time, in the order in which they were made.
   * @throws InvalidOptionsError if the request is malformed.
   * @throws InputError if an image cannot be read, or if the model does not support the request.
   * @throws DisposedError after `dispose()`; the signal's reason if it is aborted.
   */
  ask(request: AskRequest): Promise<Answer>;
  /**
   * Like `ask`, but yields the answer in pieces as it is generated. Errors are thrown while iterating.
   * @example
   * for await (const piece of vlm.stream({ image: 'table.jpg', question: 'What is on the table?' })) {
   *   process.stdout.write(piece);
   * }
   */
  stream(request: AskRequest): AnswerStream;
  /** Disposes the model after all pending calls have finished. Safe to call more than once. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const source = z.union(
  [
    z.string().min(1),
    z.custom<LoadedVlm>((value) => {
      const { model, processor, library } = (value ?? {}) as Partial<LoadedVlm>;
      return model !== undefined && processor !== undefined && library !== undefined;
    }),
  ],
  'expected a hub id, a folder, or the result of loadVlm()',
);

/**
 * Loads a vision-language model and attaches pruning: between the vision encoder and the language model, only the vision tokens
 * that together best cover the question and the image are kept.
 * @param model a hub id, a folder, or a model loaded with `loadVlm`. You remain responsible for disposing a model that you pass in.
 * @throws ModelLoadError if the model does not exist or some of its files are missing.
 * @throws UnsupportedModelError if the model cannot be pruned.
 * @throws InvalidOptionsError, InvalidBudgetError if options are invalid; the signal's reason if loading is aborted.
 * @example
 * const vlm = await createVlm('HuggingFaceTB/SmolVLM2-256M-Video-Instruct', { dtype: 'q4', keep: 0.1 });
 * const { text } = await vlm.ask({ image: 'table.jpg', question: 'What is on the table?' });
 * console.log(text);
 * await vlm.dispose();
 */
export async function createVlm(model: string | LoadedVlm, options: CreateVlmOptions = {}): Promise<Vlm> {
  const given = parseOptions('model of createVlm', source, model);
  const { keep, load, pruning } = split(options);
  checkPruning(keep, pruning);
  if (typeof given !== 'string' && Object.keys(load).length > 0) {
    throw new InvalidOptionsError('options of createVlm', [
      `${Object.keys(load).join(', ')}: the model is already loaded, so only pruning options are allowed`,
    ]);
  }
  const tap = pruning.visionFeatures === 'patches' && { tap: { patches: true } };
  const loaded = typeof given === 'string' ? await loadVlm(given, { ...tap, ...load }) : given;
  const isOurs = typeof given === 'string';
  try {
    const pruned = new Runner(loaded, keep, pruning);
    return new PrunedVlm(loaded, pruned, isTimeBudget(pruning.budget) ? pruning.budget : keep, isOurs);
  } catch (error) {
    if (isOurs) await loaded.model.dispose();
    throw error;
  }
}

/** Splits the options into three groups. Unknown options are passed on to `prune`, which rejects them. */
function split(options: CreateVlmOptions): {
  readonly keep: Keep | undefined;
  readonly load: LoadVlmOptions;
  readonly pruning: PruningOptions;
} {
  const own = z.looseObject({ ...loadOptionShape, keep: keepSchema.optional() });
  const { keep, ...rest } = parseOptions('options of createVlm', own, options);
  const entries = Object.entries(rest).filter(([, value]) => value !== undefined);
  const part = (isOfLoading: boolean): object =>
    Object.fromEntries(entries.filter(([name]) => name in loadOptionShape === isOfLoading));
  return { keep, load: part(true), pruning: part(false) };
}

/** The inputs of `generate` for one request. */
interface CallInputs {
  readonly tensors: ModelInputs;
  readonly mmtok: Parameters<Runner['generate']>[1];
  /** Adds the plan to the report. */
  readonly reported?: (report: PruneReport) => PruneReport;
}

class PrunedVlm implements Vlm {
  readonly model: PreTrainedModel;
  readonly processor: Processor;
  readonly library: Library;
  readonly handle: PruneHandle;
  readonly family: string;
  readonly modelId: string;
  private readonly pruned: Runner;
  private readonly keep: Keep | undefined;
  private readonly isOurs: boolean;
  private readonly planner = new Planner(this);
  private last: Promise<unknown> = Promise.resolve();
  private disposal: Promise<void> | undefined;

  constructor(loaded: LoadedVlm, pruned: Runner, keep: Keep | undefined, isOurs: boolean) {
    this.model = loaded.model;
    this.processor = loaded.processor;
    this.library = loaded.library;
    this.family = loaded.family;
    this.modelId = loaded.source;
    this.handle = pruned.handle;
    this.pruned = pruned;
    this.keep = keep;
    this.isOurs = isOurs;
  }

  async ask(request: AskRequest): Promise<Answer> {
    return await this.inTurn(request);
  }

  stream(request: AskRequest): AnswerStream {
    return streamAnswer((push, leaving) => this.inTurn(request, push, leaving));
  }

  async dispose(): Promise<void> {
    this.disposal ??= this.last.then(async () => {
      await this.pruned.restore();
      if (this.isOurs) await this.model.dispose();
    });
    await this.disposal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** Runs a call after all earlier calls have finished. An aborted caller stops waiting, but the next call still waits its turn. */
  private async inTurn(
    request: AskRequest,
    push?: (piece: string) => void,
    leaving?: AbortSignal,
  ): Promise<Answer> {
    if (this.disposal !== undefined) throw new DisposedError('The model');
    const resolved = resolveRequest(request);
    const ending = new AbortController();
    const given = [resolved.signal, leaving].filter((signal) => signal !== undefined);
    const ends = given.map((signal) => ({ signal, end: () => ending.abort(signal.reason) }));
    for (const { signal, end } of ends) {
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    }
    const turn = this.last.then(() => this.answer(resolved, ending.signal, push));
    this.last = turn.catch(() => undefined);
    try {
      return await untilAborted(turn, ending.signal);
    } finally {
      for (const { signal, end } of ends) signal.removeEventListener('abort', end);
    }
  }

  private async answer(
    request: ResolvedRequest,
    signal: AbortSignal,
    push: ((piece: string) => void) | undefined,
  ): Promise<Answer> {
    signal.throwIfAborted();
    const inputs = await this.inputsOf(request);
    signal.throwIfAborted();
    const { generation, maxNewTokens } = request;
    const { tokenizer } = this.processor;
    if (tokenizer === undefined) throw new InputError('the processor has no tokenizer');
    const stop = new this.library.InterruptableStoppingCriteria();
    const interrupt = (): void => stop.interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    const streamer = push && new PieceStreamer(tokenizer, (piece) => signal.aborted || push(piece));
    try {
      const { sequences, report } = await this.pruned.generate(
        {
          do_sample: false,
          ...generation,
          ...inputs.tensors,
          max_new_tokens: maxNewTokens,
          stopping_criteria: [...[generation.stopping_criteria ?? []].flat(), stop],
          ...(streamer && { streamer }),
        },
        inputs.mmtok,
        inputs.reported,
      );
      signal.throwIfAborted();
      const ids = this.newIds(sequences, inputs.tensors);
      const text = streamer?.text ?? tokenizer.decode(ids, { skip_special_tokens: true }).trim();
      return {
        text,
        report,
        usage: usageOf(report, ids.length),
        finishReason: ids.length < maxNewTokens || this.isEnd(ids.at(-1), generation) ? 'stop' : 'length',
      };
    } catch (error) {
      throw signal.aborted ? signal.reason : explained(error, request);
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** The inputs of `generate` and the selection options. */
  private async inputsOf({ messages, images, template, keep, mmtok }: ResolvedRequest): Promise<CallInputs> {
    const read = await Promise.all(
      images.map((image, at) =>
        readImage(this.library, image, images.length === 1 ? 'the image' : `image ${at + 1}`),
      ),
    );
    const given: AskOptions = mmtok === false || mmtok === undefined ? {} : mmtok;
    const { budget: called, ...asked } = given;
    const wanted = mmtok === false ? false : (keep ?? called ?? this.keep);
    const question = asked.questionTokens === undefined ? lastQuestion(messages) : undefined;
    const process = async (processor: Processor, shown: readonly RawImage[]): Promise<ModelInputs> =>
      await processInputs(this.library, processor, {
        messages,
        template,
        images: shown,
        config: this.model.config as unknown as Readonly<Record<string, unknown>>,
        tokensPerImage: (pixels) => this.pruned.tokensPerImage(pixels),
      });
    const options = { ...(question !== undefined && { question }), images: read };
    if (isTimeBudget(wanted)) {
      const { planner } = this;
      await planner.ready(template);
      const started = performance.now();
      const fitted = await planner.fit(read, question ?? '', wanted);
      const tensors = await process(fitted.processor, fitted.images);
      const planned = await planner.plan(
        {
          tensors,
          images: read.length,
          ...(await this.countOf(tensors, read.length)),
          spentMs: performance.now() - started,
        },
        wanted,
      );
      return {
        tensors,
        mmtok: { ...options, ...planned.options, ...asked },
        reported: planned.reported,
      };
    }
    const tensors = await process(this.processor, read);
    if (wanted === false) return { tensors, mmtok: false };
    if (wanted === undefined) return { tensors, mmtok: { ...options, ...asked } };
    const isCalled = keep === undefined && called !== undefined && !isTimeBudget(called);
    const budget = isCalled ? { budget: called } : keepOptions(wanted as Exclude<Keep, TimeBudget>);
    return { tensors, mmtok: { ...options, ...budget, ...asked } };
  }

  private get isEncoderDecoder(): boolean {
    return (this.model.config as { readonly is_encoder_decoder?: boolean }).is_encoder_decoder === true;
  }

  /** Counts the vision and text tokens of a prompt. If the prompt has no placeholders for vision tokens, the encoder provides the count. */
  private async countOf(
    tensors: ModelInputs,
    images: number,
  ): Promise<{ readonly visionTokens: number; readonly textTokens: number }> {
    if (this.isEncoderDecoder) {
      const perImage = images === 0 ? 0 : await this.pruned.tokensPerImage(tensors);
      return { visionTokens: perImage * images, textTokens: tensors.input_ids?.dims.at(-1) ?? 0 };
    }
    const [count] = this.handle.countTokens(tensors);
    return { visionTokens: count?.vision ?? 0, textTokens: count?.text ?? 0 };
  }

  /** The token ids of the answer. Encoder-decoder models generate a separate sequence; all other models append to the prompt. */
  private newIds(sequences: Tensor, { input_ids }: ModelInputs): bigint[] {
    const before = this.isEncoderDecoder ? 1 : (input_ids?.dims.at(-1) ?? 0);
    return Array.from((sequences.data as BigInt64Array).slice(before));
  }

  private isEnd(id: bigint | undefined, { eos_token_id }: Readonly<Record<string, unknown>>): boolean {
    const own = this.model.generation_config as { readonly eos_token_id?: unknown } | null;
    return [eos_token_id ?? own?.eos_token_id ?? []].flat().some((end) => end === Number(id));
  }
}

/** Rephrases a library error in terms of the request if the library's message does not explain the cause. */
function explained(error: unknown, { template }: ResolvedRequest): unknown {
  if (!(error instanceof Error) || !/tokens and features do not match/i.test(error.message)) return error;
  const where = template === undefined ? 'the processor or the model files' : `the template '${template}'`;
  return new InputError(
    `the prompt does not have one placeholder per vision token (${error.message}); the cause is ${where}`,
    { cause: error },
  );
}
