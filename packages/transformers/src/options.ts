// The options of prune() and of single calls: their types, and the schemas that check them at the edge.

import type { RawImage } from '@huggingface/transformers';
import {
  type Backend,
  type ImageSelectOptions,
  InvalidBudgetError,
  InvalidOptionsError,
  type KeywordOptions,
  type MatrixInput,
  type Maximizer,
  type ObjectiveTerm,
} from '@mmtok/core';
import { checkBudget, parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import {
  type Agent,
  type AgentOptions,
  type CallAgent,
  callAgentSchema,
  pruneAgentSchema,
  type ResolvedAgent,
  resolveAgent,
} from './agent/agent.js';
import type { Allocation, PromptBudget } from './budget/prompt-budget.js';
import type { Standardise } from './features/standardise.js';
import type { VisionFeatureSource } from './features/vision-features.js';
import type { PositionPolicy } from './positions/policy.js';
import type { PruneReport } from './report/prune-report.js';
import type { ProcessorLike } from './upstream/types.js';

export type { KeywordOptions };

/** The question as token ids of the model's vocabulary. */
export interface QuestionTokens {
  readonly ids: readonly number[];
  /**
   * How much each token counts, numbers ≥ 0, in every term of `coverage` that has a target per text token and no weights
   * of its own. @default all the same
   */
  readonly weights?: readonly number[];
}

/** The size of a picture in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Options that hold for all calls and can be overridden for one. */
export interface SelectionOptions {
  /** How many vision tokens to keep; an array gives each image of the call its own budget. */
  readonly budget: PromptBudget | readonly PromptBudget[];
  /** The objective. @default `[textCoverage({ temperature: the family's }), visionCoverage()]` */
  readonly coverage?: readonly ObjectiveTerm[];
  /** Further tensors that terms of your own read, by name. */
  readonly inputs?: Readonly<Record<string, MatrixInput>>;
  /** Whose tokens share a budget. @default 'perImage' */
  readonly allocation?: Allocation;
  /** Keep at least so many tokens of each image (`allocation: 'shared'`) or of each tile (`'perImage'`). @default 0 */
  readonly floor?: number;
  /** How kept tokens are numbered. @default 'auto': `preserve` where the decoder takes position ids, else `compact` */
  readonly positions?: PositionPolicy | 'auto';
  /** The word filter before text coverage; `false` keeps the text as it is. @default English stop-words are dropped */
  readonly keywords?: KeywordOptions | false;
  /** Which features feed vision coverage. @default 'auto': from before the projector where the encoder gives them */
  readonly visionFeatures?: 'auto' | VisionFeatureSource;
  /** The encoder's output that holds features from before the projector. @default the one of matching shape */
  readonly featureOutput?: string;
  /**
   * Scale each dimension of the vision features to variance 1 over the tokens that share a budget. `'auto'` does so only
   * where one dimension drowns the others. @default 'off'
   */
  readonly standardise?: Standardise;
  /**
   * Leave prompts alone that have fewer vision tokens than this in all: pruning them would cost more than it saves. Each
   * row of a batch is a prompt by itself. @default 16
   */
  readonly minVisionTokens?: number;
  /**
   * What a new question over a kept cache does: `'freeze'` goes on with the pruned cache; `'reselect'` selects anew for
   * the new question and processes the prompt again, with the images encoded only once. @default 'freeze'
   */
  readonly turns?: 'freeze' | 'reselect';
  /** The search. @default 'lazy' */
  readonly maximizer?: NonNullable<ImageSelectOptions['maximizer']>;
  /** Refuse similarity matrices above this many bytes. @default 1 GiB */
  readonly maxMatrixBytes?: number;
  /** Receives the report of each call; unlike `lastSelection` it cannot be another call's. */
  readonly onSelection?: (report: PruneReport) => void;
}

/** Options of {@link prune}. */
export interface PruneOptions extends SelectionOptions {
  /**
   * The model's processor, or any object with its `tokenizer`, which reads the question from the prompt. Where the chat
   * template comes with the processor, it must be the processor.
   */
  readonly processor: { readonly tokenizer?: unknown };
  /** Where similarities are computed. */
  readonly backend: Backend;
  /** Names the model in the keys of `cacheKey`, e.g. its hub id and revision, where keys of several models meet. */
  readonly modelId?: string;
  /** How many images `turns: 'reselect'` keeps encoded. @default 4 */
  readonly visionCacheSize?: number;
  /**
   * Answers first, and the words of its answer join the question's in text coverage. Calls must then hand in their
   * `images`. Where it fails or takes too long, the question alone guides the selection and the report says so.
   */
  readonly agent?: Agent | AgentOptions;
}

/** {@link PruneOptions} after the check. */
export interface CheckedOptions extends PruneOptions {
  readonly processor: ProcessorLike;
}

/** What `generate({ ..., mmtok })` takes: overrides for one call, and what concerns its very images. */
export interface CallOptions extends Partial<SelectionOptions> {
  /** The text that drives coverage, e.g. enriched by a first answer; an array has one per row of the batch. */
  readonly question?: string | readonly string[];
  /** The question as token ids; an array has one per row of the batch. */
  readonly questionTokens?: QuestionTokens | readonly QuestionTokens[];
  /** Vision tokens never to keep, for each image of the call. They remain targets of coverage. */
  readonly exclude?: readonly (readonly number[])[];
  /** Sizes of the pictures before they were padded to a square; tokens of pure padding are never kept (LLaVA 1.5). */
  readonly paddedFrom?: readonly PictureSize[];
  /** `false` asks no agent; `'always'` and `'auto'` say when to ask that of `prune`; or another agent. */
  readonly agent?: CallAgent;
  /** The pictures of the call as the agent is to see them, one per image of the prompt. */
  readonly images?: readonly RawImage[];
}

/** Options of one call, complete. */
export interface ResolvedOptions
  extends Omit<CallOptions, 'coverage' | 'agent'>,
    Pick<CheckedOptions, 'processor' | 'backend'> {
  readonly budgets: PromptBudget | readonly PromptBudget[];
  readonly coverage: readonly ObjectiveTerm[] | undefined;
  readonly allocation: Allocation;
  readonly floor: number;
  readonly positions: PositionPolicy | 'auto';
  readonly keywords: KeywordOptions | false;
  readonly visionFeatures: 'auto' | VisionFeatureSource;
  readonly standardise: Standardise;
  readonly minVisionTokens: number;
  readonly turns: 'freeze' | 'reselect';
  readonly agent: ResolvedAgent | undefined;
}

const count = z.int('expected a whole number').nonnegative('expected 0 or more');
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

const selection = {
  budget: z.unknown().optional(),
  coverage: z
    .array(z.custom<ObjectiveTerm>((term) => typeof term === 'object' && term !== null))
    .min(1)
    .optional(),
  inputs: z.record(z.string(), z.custom<MatrixInput>()).optional(),
  allocation: z.enum(['perImage', 'perTile', 'shared']).optional(),
  floor: count.optional(),
  positions: z.enum(['auto', 'preserve', 'compact']).optional(),
  keywords: z
    .union([
      z.literal(false),
      z.custom<KeywordOptions>((value) => typeof value === 'object' && value !== null),
    ])
    .optional(),
  visionFeatures: z.enum(['auto', 'preProjector', 'projected']).optional(),
  featureOutput: z.string().min(1).optional(),
  standardise: z.enum(['off', 'on', 'auto']).optional(),
  minVisionTokens: count.optional(),
  turns: z.enum(['freeze', 'reselect']).optional(),
  maximizer: z
    .union([
      z.enum(['lazy', 'naive', 'device']),
      z.custom<Maximizer>((value) => typeof (value as Maximizer)?.maximize === 'function'),
    ])
    .optional(),
  maxMatrixBytes: z.number().positive().optional(),
  onSelection: z
    .custom<(report: PruneReport) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
};

const pruneSchema = z.strictObject({
  ...selection,
  processor: z.custom<ProcessorLike>(
    (value) => typeof (value as ProcessorLike | undefined)?.tokenizer?.decode === 'function',
    'expected the processor of the model, e.g. from AutoProcessor.from_pretrained(); its tokenizer reads the question from the prompt',
  ),
  backend: z.custom<Backend>(
    (value) => typeof (value as Backend | undefined)?.run === 'function',
    'expected a backend, e.g. from createOrtBackend() of @mmtok/ort-backend or createReferenceBackend() of @mmtok/core',
  ),
  modelId: z.string().min(1).optional(),
  visionCacheSize: z.int().positive().optional(),
  agent: pruneAgentSchema.optional(),
});

const callSchema = z.strictObject({
  ...selection,
  question: z.union([z.string(), z.array(z.string())]).optional(),
  questionTokens: z.union([tokens, z.array(tokens)]).optional(),
  exclude: z.array(z.array(count)).optional(),
  paddedFrom: z.array(size).optional(),
  agent: callAgentSchema.optional(),
  images: z
    .array(
      z.custom<RawImage>(
        (value) => ArrayBuffer.isView((value as RawImage | undefined)?.data),
        'expected a RawImage of transformers.js',
      ),
    )
    .optional(),
});

/** @throws InvalidBudgetError saying what a budget may be. */
function checkPromptBudget(budget: unknown): PromptBudget | readonly PromptBudget[] {
  if (Array.isArray(budget)) return budget.map((one) => checkPromptBudget(one) as PromptBudget);
  const isFit = typeof budget === 'object' && budget !== null && 'fitContext' in budget;
  if (!isFit) return checkBudget(budget);
  const result = fitContext.safeParse(budget);
  if (result.success) return result.data as PromptBudget;
  throw new InvalidBudgetError(
    `got ${JSON.stringify(budget)}; expected { fitContext } with a whole number ≥ 1, and optional whole numbers reserve, min and max`,
  );
}

/**
 * Checks the options of {@link prune}.
 * @throws InvalidOptionsError, InvalidBudgetError
 */
export function checkPruneOptions(options: unknown): CheckedOptions {
  const parsed = parseOptions('options of prune', pruneSchema, options);
  return { ...(parsed as CheckedOptions), budget: checkPromptBudget(parsed.budget) };
}

/**
 * Joins the options of one call with those of {@link prune}.
 * @throws InvalidOptionsError, InvalidBudgetError
 */
export function resolveOptions(base: CheckedOptions, call: unknown): ResolvedOptions {
  const own = parseOptions('options mmtok of generate', callSchema, call ?? {}) as CallOptions;
  if (own.question !== undefined && own.questionTokens !== undefined) {
    throw new InvalidOptionsError('options mmtok of generate', [
      'give either question or questionTokens, not both',
    ]);
  }
  const budgets = own.budget === undefined ? base.budget : checkPromptBudget(own.budget);
  const resolved = {
    allocation: 'perImage',
    floor: 0,
    positions: 'auto',
    keywords: {},
    visionFeatures: 'auto',
    standardise: 'off',
    minVisionTokens: 16,
    turns: 'freeze',
    ...defined(base),
    ...defined(own),
    budgets,
    agent: resolveAgent(base.agent, own.agent),
  } as const;
  if (Array.isArray(budgets) && resolved.allocation !== 'perImage') {
    throw new InvalidOptionsError('options mmtok of generate', [
      `an array of budgets is one per image, which needs allocation 'perImage', got '${resolved.allocation}'`,
    ]);
  }
  return { coverage: undefined, ...resolved } as unknown as ResolvedOptions;
}

function defined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}
