// The report of one call: what was kept of which image, why, and where the time went. Plain data that can be cloned,
// posted to a worker and written as JSON.

import type { Selection, SelectionReason } from '@mmtok/core';

/** Which part of its image a tile shows: a place among the tiles, counted from 0, or the whole image, scaled down. */
export type ImagePart = readonly [row: number, column: number] | 'overview';

/**
 * Which features feed vision coverage: from before the projector, projected into the language model's space, or the mean of the
 * encoder's patches that each vision token merges, from before the projector's normalization.
 */
export type VisionFeatureSource = 'preProjector' | 'projected' | 'patches';

/** `'preserve'`: kept tokens keep the positions of the full sequence. `'compact'`: positions are contiguous. */
export type PositionPolicy = 'preserve' | 'compact';

/** Why an image, or a whole call, was pruned or not. */
export type PruneReason =
  | SelectionReason
  /** The prompt has fewer vision tokens than `minVisionTokens`. */
  | 'belowMinVisionTokens'
  /** The prompt has audio beside its images, which only the unpruned path merges. */
  | 'hasAudio'
  /** Selecting was predicted to cost more than it saves; see `selectionCost`. */
  | 'costsMore'
  /** Pruning was switched off for the call. */
  | 'disabled'
  /** The prompt has no image. */
  | 'noImage'
  /** `attention_mask` hides all tokens of the image. */
  | 'masked'
  /** The images are in the cache, pruned in an earlier turn. */
  | 'cached';

/**
 * Where the text that drives coverage came from. `'agent'`: there was no question, so the agent's answer stands alone.
 * `'none'`: there was no text, so vision coverage decides alone.
 */
export type QuestionSource = 'tokens' | 'caller' | 'lastUserTurn' | 'wholePrompt' | 'agent' | 'none';

/** The text that drove coverage for one prompt. */
export interface Question {
  readonly source: QuestionSource;
  /** The text before filtering; empty for ready token ids. */
  readonly text: string;
  /** The words that were embedded; empty for ready token ids. */
  readonly words: readonly string[];
  /** Their sub-word tokens: each is one target of text coverage. */
  readonly ids: readonly number[];
  /** The weight of each token, where they differ. */
  readonly weights?: readonly number[];
}

/** What an agent added to the question of one prompt. */
export interface AgentReport {
  /**
   * `'enriched'`: words were added. `'nothingAdded'`: the answer has none to add. `'notAsked'`: the agent was not
   * needed, because of `when: 'auto'` or because the question was given as token ids. `'failed'`, `'timedOut'`: the
   * question stands, with what the agent had added before.
   */
  readonly state: 'enriched' | 'nothingAdded' | 'notAsked' | 'failed' | 'timedOut';
  /** One answer per image that was answered. */
  readonly answers: readonly string[];
  readonly added: readonly string[];
  /** Why the agent failed. */
  readonly problem?: string;
  /** How clearly the question's best word points at a place, from 0 to 1, where `when: 'auto'` measured it. */
  readonly informativeness?: number;
  /** Milliseconds that the agent took. */
  readonly ms: number;
}

/** A tile, or the whole image where it is not tiled. */
export interface TileReport {
  readonly visionTokens: number;
  /** Kept tokens of this tile, ascending, counted from its first. */
  readonly indices: readonly number[];
  /** `[rows, columns]` of its tokens, where they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
  /** Which part of its image it shows, where the prompt tells. */
  readonly imagePart?: ImagePart;
  /** The tile was not encoded (option `tiles`). Absent for tiles that were. */
  readonly skipped?: true;
  /**
   * Its vision tokens that were not encoded, where the encoder takes it in parts: the crops of an image of Phi-3 Vision, which
   * lie side by side in the rows of one tile.
   */
  readonly unencoded?: readonly number[];
}

/** What was kept of one image. */
export interface ImageReport {
  /** Which prompt of the batch. */
  readonly batchIndex: number;
  /** Number of the image within its prompt. */
  readonly image: number;
  readonly reason: PruneReason;
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** Kept vision tokens, ascending, counted from the image's first. */
  readonly indices: readonly number[];
  /** The same tokens in the order in which they were picked. Absent where nothing was selected. */
  readonly order?: readonly number[];
  readonly tiles: readonly TileReport[];
  /**
   * Tokens of the shortened prompt that stand for it, where these are not the kept ones: a LLaVA-NeXT image of which nothing is
   * pruned is read without its padding and with a newline per line.
   */
  readonly promptTokens?: number;
  /** One importance value per token by the encoder's own account, where it has an output `vision_saliency`. */
  readonly saliency?: Float32Array;
  /**
   * Core's result with order, gains, coverage and bound. Empty where nothing was selected, or a `select` function chose.
   * Under `allocation: 'shared'` it is that of all images of the prompt, with indices counted from the prompt's first
   * vision token; under `'perTile'` there is one per tile.
   */
  readonly selections: readonly Selection[];
}

/** One prompt of the batch. */
export interface PromptReport {
  /** The text that drove coverage. Absent where nothing was selected. */
  readonly question?: Question;
  /** What the agent added to it. Absent without an agent. */
  readonly agent?: AgentReport;
  /** Tokens that the language model would have processed, without padding. */
  readonly promptTokens: number;
  /** Tokens that it did process. */
  readonly keptPromptTokens: number;
}

/** What selecting was predicted to cost and to save, in milliseconds, and what followed from that. */
export interface SelectionCost {
  /**
   * `'selected'`: with the features asked for. `'selectedProjected'`: with projected tokens, as wider features would have
   * cost more than they save. `'keptAll'`: nothing was selected, as that would have cost more than it saves.
   */
  readonly action: 'selected' | 'selectedProjected' | 'keptAll';
  /** What selecting takes with the features compared. */
  readonly selectMs: number;
  /** What it takes off the language model's prefill. */
  readonly savedMs: number;
}

/** Milliseconds per phase. */
export interface PruneTimings {
  /** The vision encoder; 0 where its output was kept from an earlier turn. */
  readonly encodeMs: number;
  /** Waiting for the agent. Absent without one. */
  readonly agentMs?: number;
  /** Question, similarities, and search. */
  readonly selectMs: number;
  /** The language model over the prompt. */
  readonly prefillMs: number;
  /**
   * From pixels to the first token: encoder, agent, selection, and prefill together. What the processor does to pictures
   * before is not part of a call.
   */
  readonly firstTokenMs: number;
  /** All further steps of the language model; 0 until the call has ended. */
  readonly decodeMs: number;
}

/** What was planned for a time budget, and what came of it. */
export interface PlanReport {
  /** The budget: milliseconds from pixels to the first token. */
  readonly firstTokenMs: number;
  /** Milliseconds that the plan was predicted to take, and those that it took. */
  readonly predictedMs: number;
  readonly tookMs: number;
  /** Whether the prediction is within the budget. If not, it is the cheapest plan. */
  readonly isFeasible: boolean;
  /** Vision tokens of the images at the resolution that was chosen, how many were to be encoded, and how many kept. */
  readonly visionTokens: number;
  readonly encodedTokens: number;
  readonly keptTokens: number;
  /** Tiles to be encoded. Absent where images are not cut up. */
  readonly tiles?: number;
}

/** The report of one call of `generate` or of the model itself. Structured-cloneable. */
export interface PruneReport {
  readonly reason: PruneReason;
  /** Vision tokens of all images of the call. */
  readonly visionTokens: number;
  readonly keptTokens: number;
  readonly images: readonly ImageReport[];
  /** One per prompt of the batch. */
  readonly prompts: readonly PromptReport[];
  /** Which features fed vision coverage. Absent where nothing was selected. */
  readonly visionFeatureSource?: VisionFeatureSource;
  /** The forecast that decided whether to select. Absent where none was made: see the option `costGuard`. */
  readonly selectionCost?: SelectionCost;
  /** Whether the features were standardized. */
  readonly standardized: boolean;
  readonly positions: PositionPolicy;
  readonly timings: PruneTimings;
  /** Present in answers of `createVlm` with a budget in time, and in what its `onReport` receives. */
  readonly plan?: PlanReport;
  /** What a caller should know, in words. */
  readonly notes: readonly string[];
}
