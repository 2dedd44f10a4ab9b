// The options of prune() and of individual calls: the documented interfaces.

import type { RawImage } from '@huggingface/transformers';
import type { Backend, KeywordOptions, MatrixInput, Maximizer, ObjectiveTerm } from '@mmtok/core';
import type { ProcessorLike } from './internal/types.js';
import type { Agent, AgentOptions, CallAgent } from './question/agent.js';
import type { AgentSettings } from './question/ask-agent.js';
import type { QuestionTokens, TextPreparation } from './question/question.js';
import type { PositionPolicy, PruneReport, VisionFeatureSource } from './report.js';
import type { Select } from './select/by-function.js';
import type { CostGuardSettings } from './select/cost-guard.js';
import type { ExclusionSettings, ImageSize } from './select/features.js';
import type { Allocation, PromptBudget, TileBudget } from './select/pools.js';
import type { SelectSettings } from './select/select.js';
import type { Standardize } from './select/standardize.js';

/** Receives the report of a call. Its result is awaited. */
export type OnReport = (report: PruneReport) => unknown;

/** Options that apply to all calls and can be overridden per call. */
export interface SelectionOptions {
  /** How many vision tokens to keep; an array gives each image of the call its own budget. */
  readonly budget: PromptBudget | readonly PromptBudget[];
  /** The objective. @default `[textCoverage({ temperature: the family's }), visionCoverage()]` */
  readonly coverage?: readonly ObjectiveTerm[] | undefined;
  /**
   * Vision coverage focused on the question, replacing the paper's two terms: a strength such as 3, or `'auto'` to measure for
   * each image whether the question discriminates between its tokens; see `visionCoverage` in @mmtok/core. Shorthand for
   * `coverage: [visionCoverage({ focus })]`.
   */
  readonly focus?: number | 'auto' | undefined;
  /** Selects the tokens instead of an objective. Works with token budgets, ratios, and `fitContext`. */
  readonly select?: Select | undefined;
  /** Additional tensors for custom terms, by name. */
  readonly inputs?: Readonly<Record<string, MatrixInput>> | undefined;
  /** Which tokens share a budget. @default 'perImage'; 'perTile' for LLaVA-NeXT, as in the official code */
  readonly allocation?: Allocation | undefined;
  /** Keep at least this many tokens of each image (`allocation: 'shared'`) or of each tile (`'perImage'`). @default 0 */
  readonly minTokens?: number | undefined;
  /**
   * Which tiles to encode, for families that split an image into tiles plus an overview (Idefics 3, SmolVLM, LFM2-VL, Phi-3
   * Vision): `'all'`, at most `{ max: 5 }`, a `{ share: 0.3 }` of them, including the overview, or those with at least
   * `{ worth: 0.2 }` of the worth of the best one, so the number depends on the question. Tiles are ranked by how much detail the
   * overview lost in the regions that are relevant to the question. This saves encoder time; budgets still count the tokens of
   * all tiles. Rejected for LLaVA-OneVision, because transformers.js passes only one view of each image. @default 'all'
   */
  readonly tiles?: TileBudget | undefined;
  /** How kept tokens are numbered. @default 'auto': `preserve` if the decoder takes position ids, otherwise `compact` */
  readonly positions?: PositionPolicy | 'auto' | undefined;
  /**
   * How a question is converted to text tokens: `'keywords'`, words without stop words; or `'official'`, as the official MMTok
   * code does it for the family. The selections differ in a few tokens for LLaVA and in many for Qwen. @default 'keywords'
   */
  readonly text?: TextPreparation | undefined;
  /** The word filter of `text: 'keywords'`; `false` keeps the text unfiltered. @default English stop words are dropped */
  readonly keywords?: KeywordOptions | false | undefined;
  /**
   * Which features vision coverage uses. `'patches'`, which the official MMTok code compares on Qwen, needs a model loaded with
   * `tap: { patches: true }`. @default 'auto': features from before the projector if the encoder outputs them, unless they are
   * more than four times as wide as projected tokens, as for SmolVLM; in that case projected tokens are used, at a fraction of
   * the cost
   */
  readonly visionFeatures?: 'auto' | VisionFeatureSource | undefined;
  /**
   * Compare the predicted cost of selection with the predicted prefill savings, based on shapes and devices. If selection costs
   * at least a millisecond more than it saves, `visionFeatures: 'auto'` switches to projected tokens; if that still costs more,
   * all tokens are kept. The result is in the report (`selectionCost`). `false` always selects. @default true
   */
  readonly costGuard?: boolean | undefined;
  /** The encoder output that holds features from before the projector. @default the output of matching shape */
  readonly featureOutput?: string | undefined;
  /**
   * Scale each dimension of the vision features to variance 1 over the tokens that share a budget. `'auto'` does this only if one
   * dimension dominates all others. @default 'off'
   */
  readonly standardize?: Standardize | undefined;
  /**
   * Do not prune prompts that have fewer vision tokens than this in total: pruning them would cost more than it saves. Each
   * prompt of a batch is counted separately. @default 16
   */
  readonly minVisionTokens?: number | undefined;
  /**
   * How to handle a new question over an existing cache: `'reuse'` continues with the pruned cache; `'reselect'` selects again
   * for the new question and reprocesses the prompt without encoding the images again. @default 'reuse'
   */
  readonly followUps?: 'reuse' | 'reselect' | undefined;
  /** The search algorithm. @default 'lazy' */
  readonly maximizer?: 'lazy' | 'naive' | 'device' | Maximizer | undefined;
  /** Reject similarity matrices larger than this many bytes. @default 1 GiB */
  readonly maxMatrixBytes?: number | undefined;
  /**
   * Receives the report of each call. Unlike `lastReport`, it always belongs to that call. It may be async: the call waits for it,
   * and rejects with its error.
   */
  readonly onReport?: OnReport | undefined;
}

/** Options of `prune()`. */
export interface PruneOptions extends SelectionOptions {
  /**
   * The model's processor, or any object with its `tokenizer`, which is used to read the question from the prompt. If the chat
   * template is part of the processor, pass the processor itself.
   */
  readonly processor: { readonly tokenizer?: unknown };
  /** Where similarities are computed. @default ONNX Runtime, the same instance that runs the model */
  readonly backend?: Backend | undefined;
  /** Identifies the model in the keys of `cacheKey`, e.g. by hub id and revision, if keys of several models are stored together. */
  readonly modelId?: string | undefined;
  /** How many encoded images `followUps: 'reselect'` caches. @default 4 */
  readonly visionCacheSize?: number | undefined;
  /**
   * Answers the question first; the words of its answer are added to the question's words in text coverage. Calls must then pass
   * their `images`. If the agent fails or times out, only the question guides the selection, and the report says so.
   */
  readonly agent?: Agent | AgentOptions | undefined;
}

/** The value of `generate({ ..., mmtok })`: overrides for one call, and options about its images. */
export interface CallOptions extends Partial<SelectionOptions> {
  /** The text that drives coverage, e.g. a question enriched by a first answer; an array gives one text per prompt of the batch. */
  readonly question?: string | readonly string[] | undefined;
  /** The question as token ids; an array gives one question per prompt of the batch. */
  readonly questionTokens?: QuestionTokens | readonly QuestionTokens[] | undefined;
  /** Vision tokens that must never be kept, for each image of the call. They remain targets of coverage. */
  readonly exclude?: readonly (readonly number[])[] | undefined;
  /**
   * Original sizes of images that were padded to a centered square, as for LLaVA 1.5. Tokens that show only padding are never
   * kept. `false` allows keeping them. @default as reported by the image processor, if it pads images itself
   */
  readonly paddedFrom?: readonly ImageSize[] | false | undefined;
  /** `false` skips the agent; `'always'` and `'auto'` set when to call the agent passed to `prune`; or a different agent. */
  readonly agent?: CallAgent | undefined;
  /** The images that the agent sees, one per image of the prompt. */
  readonly images?: readonly RawImage[] | undefined;
}

/** {@link PruneOptions} after validation. */
export interface CheckedOptions extends PruneOptions {
  readonly processor: ProcessorLike;
}

/** The complete options of one call, as each stage reads them. */
export interface ResolvedOptions extends SelectSettings, AgentSettings, ExclusionSettings, CostGuardSettings {
  readonly tiles: TileBudget;
  readonly budgets: PromptBudget | readonly PromptBudget[];
  readonly allocation: Allocation;
  readonly positions: PositionPolicy | 'auto';
  readonly followUps: 'reuse' | 'reselect';
  readonly onReport?: OnReport | undefined;
}
