// The options of prune() and of individual calls: the documented interfaces, and the schemas that validate them at the API boundary.

import type { RawImage } from '@huggingface/transformers';
import {
  type Backend,
  InvalidBudgetError,
  InvalidOptionsError,
  type KeywordOptions,
  type MatrixInput,
  type Maximizer,
  type ObjectiveTerm,
} from '@mmtok/core';
import { checkBudget, isTerm, parseOptions, TERM_EXPECTED } from '@mmtok/core/internal';
import * as z from 'zod';
import { readable, shown } from './internal/readable.js';
import type { ProcessorLike } from './internal/types.js';
import {
  type Agent,
  type AgentOptions,
  type CallAgent,
  callAgentSchema,
  pruneAgentSchema,
  resolveAgent,
} from './question/agent.js';
import type { AgentSettings } from './question/ask-agent.js';
import type { QuestionTokens } from './question/question.js';
import type { TextPreparation } from './question/text-preparation.js';
import type { PositionPolicy, PruneReport, VisionFeatureSource } from './report.js';
import type { Select } from './select/by-function.js';
import type { CostGuardSettings } from './select/cost-guard.js';
import type { ExclusionSettings, ImageSize } from './select/features.js';
import type { Allocation, PromptBudget, RankTiles, TileBudget } from './select/pools.js';
import type { SelectSettings } from './select/select.js';
import type { Standardize } from './select/standardize.js';

/** Options that apply to all calls and can be overridden per call. */
export interface SelectionOptions {
  /** How many vision tokens to keep; an array gives each image of the call its own budget. */
  readonly budget: PromptBudget | readonly PromptBudget[];
  /** The objective. @default `[textCoverage({ temperature: the family's }), visionCoverage()]` */
  readonly coverage?: readonly ObjectiveTerm[] | undefined;
  /**
   * Vision coverage focused on the question, replacing the paper's two terms: a strength such as 4, or `'auto'` to measure for
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
   * Vision): `'all'`, at most `{ max: 5 }`, or a `{ share: 0.3 }` of them, including the overview. Tiles are ranked by how much
   * detail the overview lost in the regions that are relevant to the question. This saves encoder time; budgets still count the
   * tokens of all tiles. Rejected for LLaVA-OneVision, because transformers.js passes only one view of each image. @default 'all'
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
  /** Receives the report of each call. Unlike `lastReport`, it always belongs to that call. */
  readonly onReport?: ((report: PruneReport) => void) | undefined;
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
  readonly onReport?: ((report: PruneReport) => void) | undefined;
}

const DEFAULTS = {
  allocation: 'perImage',
  minTokens: 0,
  tiles: 'all',
  positions: 'auto',
  text: 'keywords',
  keywords: {},
  visionFeatures: 'auto',
  costGuard: true,
  standardize: 'off',
  minVisionTokens: 16,
  followUps: 'reuse',
} as const satisfies Partial<SelectionOptions>;

const count = z.int('expected a whole number').nonnegative('expected 0 or more');
const isFunction = (value: unknown): boolean => typeof value === 'function';
const fitContext = z.strictObject({
  fitContext: z.int('expected a whole number').positive('expected at least 1'),
  reserve: count.optional(),
  min: count.optional(),
  max: count.optional(),
});
const tokens = z
  .strictObject({
    ids: z.array(count),
    weights: z.array(z.number().nonnegative().finite()).optional(),
  })
  .refine(
    (one) => one.weights === undefined || one.weights.length === one.ids.length,
    'expected one weight per id',
  );
const size = z.strictObject({ width: z.number().positive(), height: z.number().positive() });

const FOCUS = "expected a number from 0 to 1e30, or 'auto'";

/** Budgets have their own error messages, so they are validated separately. */
type Checked<T> = Omit<T, 'budget'> & { readonly budget?: unknown };

const rankTiles = z.custom<RankTiles>(isFunction, 'expected a function (facts) => tiles').optional();

const selection = {
  budget: z.unknown().optional(),
  coverage: z.array(z.custom<ObjectiveTerm>(isTerm, TERM_EXPECTED)).min(1).optional(),
  focus: z.union([z.number(FOCUS).nonnegative(FOCUS).max(1e30, FOCUS), z.literal('auto')], FOCUS).optional(),
  select: z.custom<Select>(isFunction, 'expected a function (features, request) => indices').optional(),
  inputs: z.record(z.string(), z.custom<MatrixInput>()).optional(),
  allocation: z.enum(['perImage', 'perTile', 'shared']).optional(),
  minTokens: count.optional(),
  tiles: z
    .union(
      [
        z.literal('all'),
        z.strictObject({ max: z.int().positive(), by: rankTiles }),
        z.strictObject({ share: z.number().gt(0).lte(1), by: rankTiles }),
      ],
      "expected 'all', { max } with a whole number from 1, or { share } with a number in (0, 1]",
    )
    .optional(),
  positions: z.enum(['auto', 'preserve', 'compact']).optional(),
  text: z.enum(['keywords', 'official']).optional(),
  keywords: z
    .union([
      z.literal(false),
      z.custom<KeywordOptions>((value) => typeof value === 'object' && value !== null),
    ])
    .optional(),
  visionFeatures: z.enum(['auto', 'preProjector', 'projected', 'patches']).optional(),
  costGuard: z.boolean().optional(),
  featureOutput: z.string().min(1).optional(),
  standardize: z.enum(['off', 'on', 'auto']).optional(),
  minVisionTokens: count.optional(),
  followUps: z.enum(['reuse', 'reselect']).optional(),
  maximizer: z
    .union([
      z.enum(['lazy', 'naive', 'device']),
      z.custom<Maximizer>((value) => isFunction((value as Maximizer | undefined)?.maximize)),
    ])
    .optional(),
  maxMatrixBytes: z.number().positive().optional(),
  onReport: z.custom<(report: PruneReport) => void>(isFunction, 'expected a function').optional(),
};

const pruneSchema = z.strictObject({
  ...selection,
  processor: z.custom<ProcessorLike>(
    (value) => isFunction((value as ProcessorLike | undefined)?.tokenizer?.decode),
    "expected the model's processor, e.g. from AutoProcessor.from_pretrained(); its tokenizer reads the question from the prompt",
  ),
  backend: z
    .custom<Backend>(
      (value) => isFunction((value as Backend | undefined)?.run),
      'expected a backend, e.g. from createTfjsBackend() of @mmtok/tfjs-backend; omit it to use the ONNX Runtime that runs the model',
    )
    .optional(),
  modelId: z.string().min(1).optional(),
  visionCacheSize: z.int().positive().optional(),
  agent: pruneAgentSchema.optional(),
}) satisfies z.ZodType<Checked<CheckedOptions>>;

const callSchema = z.strictObject({
  ...selection,
  question: z.union([z.string(), z.array(z.string())]).optional(),
  questionTokens: z.union([tokens, z.array(tokens)]).optional(),
  exclude: z.array(z.array(count)).optional(),
  paddedFrom: z.union([z.literal(false), z.array(size)]).optional(),
  agent: callAgentSchema.optional(),
  images: z
    .array(
      z.custom<RawImage>(
        (value) => ArrayBuffer.isView((value as RawImage | undefined)?.data),
        'expected a transformers.js RawImage',
      ),
    )
    .optional(),
}) satisfies z.ZodType<Checked<CallOptions>>;

/** @throws InvalidBudgetError listing the valid forms of a budget. */
function checkPromptBudget(budget: unknown): PromptBudget | readonly PromptBudget[] {
  return readable(
    () => readPromptBudget(budget),
    (problem) => new InvalidBudgetError(problem),
  );
}

function readPromptBudget(budget: unknown): PromptBudget | readonly PromptBudget[] {
  if (Array.isArray(budget)) return budget.map((one) => readPromptBudget(one) as PromptBudget);
  if (typeof budget === 'object' && budget !== null && 'firstTokenMs' in budget) {
    throw new InvalidBudgetError(
      `got ${shown(budget)}; time budgets work only with createVlm(), which can also choose the resolution`,
    );
  }
  const isFit = typeof budget === 'object' && budget !== null && 'fitContext' in budget;
  if (!isFit) return checkBudget(budget);
  const result = fitContext.safeParse(budget);
  if (result.success) return result.data as PromptBudget;
  throw new InvalidBudgetError(
    `got ${shown(budget)}; expected { fitContext } with a whole number ≥ 1, and optionally the whole numbers reserve, min, and max`,
  );
}

/**
 * Validates the options of `prune()`.
 * @throws InvalidOptionsError, InvalidBudgetError
 */
export function checkPruneOptions(options: unknown): CheckedOptions {
  const parsed = parseOptions('options of prune', pruneSchema, options);
  const checked: CheckedOptions = { ...parsed, budget: checkPromptBudget(parsed.budget) };
  expectOneChooser('options of prune', checked);
  expectOnePreparation('options of prune', checked);
  resolveOptions(checked, {});
  return checked;
}

/**
 * Merges the options of one call with those of `prune()`.
 * @throws InvalidOptionsError, InvalidBudgetError
 */
export function resolveOptions(base: CheckedOptions, call: unknown): ResolvedOptions {
  const name = 'options mmtok of generate';
  const { budget, agent, ...own } = parseOptions(name, callSchema, call ?? {});
  expectOneChooser(name, own);
  expectOnePreparation(name, own);
  if (own.question !== undefined && own.questionTokens !== undefined) {
    throw new InvalidOptionsError(name, ['question and questionTokens cannot be combined']);
  }
  const budgets = budget === undefined ? base.budget : checkPromptBudget(budget);
  const {
    budget: _,
    agent: baseAgent,
    processor: __,
    backend: ___,
    modelId,
    visionCacheSize,
    ...given
  } = base;
  const resolved: ResolvedOptions = {
    ...DEFAULTS,
    ...defined(given),
    // A selection method given for the call replaces the one in the model's options.
    ...(chooses(own) && { coverage: undefined, focus: undefined, select: undefined }),
    ...defined(own),
    budgets,
    agent: resolveAgent(baseAgent, agent),
  };
  if (Array.isArray(budgets) && resolved.allocation !== 'perImage') {
    throw new InvalidOptionsError(name, [
      `an array of budgets requires allocation 'perImage', got '${resolved.allocation}'`,
    ]);
  }
  if (resolved.select !== undefined) expectCountable(name, resolved);
  return resolved;
}

/** Whether the options specify how tokens are selected. */
function chooses({ select, coverage, focus }: Partial<SelectionOptions>): boolean {
  return select !== undefined || coverage !== undefined || focus !== undefined;
}

/** @throws InvalidOptionsError if more than one selection method is given. */
function expectOneChooser(
  name: string,
  { select, coverage, focus, maximizer }: Partial<SelectionOptions>,
): void {
  if (focus !== undefined && (select !== undefined || coverage !== undefined)) {
    throw new InvalidOptionsError(name, [
      'focus cannot be combined with coverage or select; to combine it with other terms, use coverage: [visionCoverage({ focus }), …]',
    ]);
  }
  if (select !== undefined && (coverage !== undefined || maximizer !== undefined)) {
    throw new InvalidOptionsError(name, ['select cannot be combined with coverage or maximizer']);
  }
}

/** @throws InvalidOptionsError if a word filter is combined with a text preparation that has its own. */
function expectOnePreparation(name: string, { text, keywords }: Partial<SelectionOptions>): void {
  if (text === 'official' && keywords !== undefined) {
    throw new InvalidOptionsError(name, [
      "keywords cannot be combined with text: 'official', which has its own rules",
    ]);
  }
}

/** @throws InvalidOptionsError if options require an objective but a `select` function is used. */
function expectCountable(name: string, { budgets, minTokens }: ResolvedOptions): void {
  if ([budgets].flat().some((budget) => 'coverage' in (budget as PromptBudget))) {
    throw new InvalidOptionsError(name, [
      'select: needs to know how many tokens to keep, so the budget must be { tokens }, { ratio }, or { fitContext }, not { coverage }',
    ]);
  }
  if (minTokens > 0) {
    throw new InvalidOptionsError(name, [
      `minTokens: got ${minTokens}, but select cannot guarantee minimums; omit one of them`,
    ]);
  }
}

function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
