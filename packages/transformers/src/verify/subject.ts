// The model under verification: its unmodified and pruned generation on the same inputs, greedy and comparable.

import type { RawImage, Tensor } from '@huggingface/transformers';
import type { Vlm } from '../create-vlm.js';
import { InputError } from '../errors.js';
import type { PrunedFamily } from '../families/family.js';
import { prunedFamilyOf } from '../families/index.js';
import { type ModelInputs as LibraryInputs, processInputs } from '../families/process.js';
import type { LoadedVlm } from '../files/load-vlm.js';
import { withRun } from '../internal/session.js';
import {
  type Library,
  type ModelInputs,
  type ModelLike,
  type ProcessorLike,
  type SessionLike,
  type TensorLike,
  tensorAt,
} from '../internal/types.js';
import type { CallOptions } from '../options.js';
import { unpatched } from '../patch/patch.js';
import type { PruneHandle } from '../prune.js';
import type { PruneReport } from '../report.js';
import { visionTokensPerImage } from '../vlm/runner.js';

/** Greedy search without anything that changes logits, regardless of the model's generation_config.json. */
const GREEDY = {
  do_sample: false,
  num_beams: 1,
  repetition_penalty: 1,
  no_repeat_ngram_size: 0,
  bad_words_ids: null,
  min_length: 0,
  min_new_tokens: 0,
  forced_bos_token_id: null,
  forced_eos_token_id: null,
  suppress_tokens: null,
  begin_suppress_tokens: null,
  guidance_scale: null,
} as const;

/** The first feeds of the session that reads the prompt, by input. */
export type FirstFeeds = Readonly<Record<string, unknown>>;

/** A generated answer. */
export interface Generated {
  /** Its tokens. */
  readonly ids: readonly number[];
  /** For encoder-decoders, the token that the decoder starts with. */
  readonly start: readonly number[];
  readonly text: string;
  readonly feeds: FirstFeeds;
  /** The logits from which each token was selected. */
  readonly logits: readonly Float32Array[];
}

/** A pruned answer. */
export interface GeneratedPruned extends Generated {
  readonly report: PruneReport;
}

/** A model with pruning attached, for inspection. */
export class Subject {
  readonly model: ModelLike;
  readonly family: PrunedFamily;
  readonly library: Library;
  readonly processor: ProcessorLike;
  readonly handle: PruneHandle;
  private readonly loaded: Pick<LoadedVlm, 'processor'>;
  private readonly template: string | undefined;

  /** @throws InputError for families that the library cannot run unmodified. */
  constructor(
    { model, processor, library }: Pick<LoadedVlm | Vlm, 'model' | 'processor' | 'library'>,
    handle: PruneHandle,
    template: string | undefined,
  ) {
    this.model = model as unknown as ModelLike;
    this.family = prunedFamilyOf(this.model);
    if (this.family.packing !== undefined) {
      throw new InputError(
        `${this.family.name} cannot be verified, because transformers.js cannot run it unmodified for comparison`,
      );
    }
    this.library = library;
    this.processor = processor as unknown as ProcessorLike;
    this.loaded = { processor };
    this.handle = handle;
    this.template = template;
  }

  /** Whether the answer is returned separately from the prompt. */
  get isEncoderDecoder(): boolean {
    return this.family.adapter.placement === 'beforeText';
  }

  /** The inputs of a question about one image. */
  async inputs(image: RawImage, question: string): Promise<ModelInputs> {
    const inputs = await processInputs(this.library, this.loaded.processor, {
      messages: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }],
      images: [image],
      template: this.template,
      config: this.model.config,
      tokensPerImage: (pixels: LibraryInputs) => visionTokensPerImage(this.model, pixels),
    });
    return { ...inputs };
  }

  /** The answer of the unmodified library. */
  async unmodified(inputs: ModelInputs, newTokens: number): Promise<Generated> {
    const watch = this.watch();
    const model = unpatched(this.model, watch.sessions);
    const options = { ...inputs, max_new_tokens: newTokens, logits_processor: watch.processors };
    return this.generated(await model.generate({ ...GREEDY, ...options }), inputs, watch.seen);
  }

  /** The answer of the pruned model. */
  async pruned(inputs: ModelInputs, newTokens: number, options: CallOptions): Promise<GeneratedPruned> {
    const watch = this.watch();
    const { sessions } = this.model;
    // The pruned model is this same instance, so the session is swapped in place and then restored.
    this.model.sessions = { ...sessions, ...watch.sessions };
    try {
      const lengths = { max_new_tokens: newTokens, logits_processor: watch.processors };
      const { sequences, report } = await this.call({ ...inputs, ...lengths }, options);
      return { ...this.generated(sequences, inputs, watch.seen), report };
    } finally {
      this.model.sessions = sessions;
    }
  }

  /** A call of `generate`, and the report of exactly this call. */
  async call(
    options: ModelInputs,
    mmtok: CallOptions | false,
  ): Promise<{ readonly sequences: unknown; readonly report: PruneReport }> {
    let report: PruneReport | undefined;
    const own = mmtok !== false && {
      minVisionTokens: 0,
      tiles: 'all' as const,
      allocation: 'perImage' as const,
      minTokens: 0,
      agent: false as const,
      ...mmtok,
      onReport(one: PruneReport): void {
        report = one;
      },
    };
    const request = { ...GREEDY, ...options, mmtok: own };
    const sequences = await this.handle.generate(
      request as unknown as Parameters<PruneHandle['generate']>[0],
    );
    return { sequences, report: report ?? (this.handle.lastReport as PruneReport) };
  }

  /** Records the first feeds of the session that reads the prompt, and the logits of every step. */
  private watch(): {
    readonly sessions: Record<string, SessionLike>;
    readonly processors: unknown;
    readonly seen: { feeds: FirstFeeds; readonly logits: Float32Array[] };
  } {
    const name = this.family.adapter.decoder;
    const session = this.model.sessions[name] as SessionLike;
    const seen: { feeds: FirstFeeds; readonly logits: Float32Array[] } = { feeds: {}, logits: [] };
    let isFirst = true;
    const watched = withRun(session, async (feeds) => {
      if (isFirst) seen.feeds = { ...feeds };
      isFirst = false;
      return await session.run(feeds);
    });
    const processors = new this.library.LogitsProcessorList();
    processors.push(((_: unknown, logits: Tensor) => {
      seen.logits.push((logits.data as Float32Array).slice());
      return logits;
    }) as unknown as Parameters<typeof processors.push>[0]);
    return { sessions: { [name]: watched }, processors, seen };
  }

  private generated(
    sequences: unknown,
    inputs: ModelInputs,
    seen: Pick<Generated, 'feeds' | 'logits'>,
  ): Generated {
    const all = Array.from((sequences as Tensor).data as BigInt64Array, Number);
    const prompt = (tensorAt(inputs, 'input_ids') as TensorLike).dims.at(-1) ?? 0;
    const before = this.isEncoderDecoder ? 1 : prompt;
    const ids = all.slice(before);
    return {
      ids,
      start: this.isEncoderDecoder ? all.slice(0, 1) : [],
      text: this.processor.tokenizer.decode(ids, { skip_special_tokens: true }).trim(),
      ...seen,
    };
  }
}
