// The report of one call: which vision tokens of each image were kept, why, and how long each phase took. Plain data that can be
// cloned, posted to a worker, and serialized as JSON.

import type { Selection, SelectionReason } from '@mmtok/core';

/** Which part of its image a tile shows: its 0-based position in the tile grid, or the whole image, scaled down. */
export type ImagePart = readonly [row: number, column: number] | 'overview';

/**
 * Which features vision coverage uses: those from before the projector, those projected into the language model's space, or, for
 * each vision token, the mean of the encoder patches that it merges, taken before the projector's normalization.
 */
export type VisionFeatureSource = 'preProjector' | 'projected' | 'patches';

/** `'preserve'`: kept tokens keep their positions in the full sequence. `'compact'`: positions are contiguous. */
export type PositionPolicy = 'preserve' | 'compact';

/** Why an image or a whole call was or was not pruned. */
export type PruneReason =
  | SelectionReason
  /** The prompt has fewer vision tokens than `minVisionTokens`. */
  | 'belowMinVisionTokens'
  /** The prompt contains audio in addition to images. Only the unpruned path can merge audio. */
  | 'hasAudio'
  /** Selection was predicted to cost more than it saves; see `selectionCost`. */
  | 'costsMore'
  /** Pruning was disabled for this call. */
  | 'disabled'
  /** The prompt has no image. */
  | 'noImage'
  /** `attention_mask` masks all tokens of the image. */
  | 'masked'
  /** The images are already in the cache, pruned in an earlier turn. */
  | 'cached';

/**
 * Source of the text that drives coverage. `'agent'`: there was no question, so only the agent's answer was used. `'none'`: there
 * was no text, so only vision coverage was used.
 */
export type QuestionSource = 'tokens' | 'caller' | 'lastUserTurn' | 'wholePrompt' | 'agent' | 'none';

/** The text that drove coverage for one prompt. */
export interface Question {
  readonly source: QuestionSource;
  /** The text before filtering; empty if the question was given as token ids. */
  readonly text: string;
  /** The words that were embedded; empty if the question was given as token ids. */
  readonly words: readonly string[];
  /** The sub-word tokens of these words. Each token is one target of text coverage. */
  readonly ids: readonly number[];
  /** The weight of each token, if the weights differ. */
  readonly weights?: readonly number[];
}

/** What an agent added to the question of one prompt. */
export interface AgentReport {
  /**
   * `'enriched'`: words were added. `'nothingAdded'`: the answer contains no new words. `'notAsked'`: the agent was not needed,
   * because of `when: 'auto'` or because the question was given as token ids. `'failed'`, `'timedOut'`: the question was used,
   * plus any words that the agent had already added.
   */
  readonly state: 'enriched' | 'nothingAdded' | 'notAsked' | 'failed' | 'timedOut';
  /** One answer for each image that the agent answered. */
  readonly answers: readonly string[];
  readonly added: readonly string[];
  /** Why the agent failed. */
  readonly problem?: string;
  /** How clearly the question's best word points to one location, from 0 to 1. Present if `when: 'auto'` measured it. */
  readonly informativeness?: number;
  /** Milliseconds that the agent took. */
  readonly ms: number;
}

/** A tile, or the whole image if it is not tiled. */
export interface TileReport {
  readonly visionTokens: number;
  /** Indices of the kept tokens, ascending, relative to the first token of this tile. */
  readonly indices: readonly number[];
  /** `[rows, columns]` of its tokens, if they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
  /** Which part of its image the tile shows, if the prompt says so. */
  readonly imagePart?: ImagePart;
  /** The tile was not encoded (option `tiles`). Absent for encoded tiles. */
  readonly skipped?: true;
  /**
   * Its vision tokens that were not encoded, for encoders that can encode parts of a tile: the crops of a Phi-3 Vision image,
   * which lie side by side in the rows of one tile.
   */
  readonly unencoded?: readonly number[];
}

/** What was kept of one image. */
export interface ImageReport {
  /** Index of the prompt in the batch. */
  readonly batchIndex: number;
  /** Index of the image within its prompt. */
  readonly image: number;
  readonly reason: PruneReason;
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** Indices of the kept vision tokens, ascending, relative to the first token of the image. */
  readonly indices: readonly number[];
  /** The same tokens in the order in which they were selected. Absent if no selection ran. */
  readonly order?: readonly number[];
  readonly tiles: readonly TileReport[];
  /**
   * The worth of encoding each tile of the image, row by row, relative to the most useful tile, from 0 to 1 (option `tiles`). Absent
   * if tiles were not ranked or a custom ranking was used.
   */
  readonly tileWorth?: readonly number[];
  /**
   * Number of prompt tokens that represent the image after pruning, if it differs from the number of kept tokens. For example, an
   * unpruned LLaVA-NeXT image is passed without its padding and with a newline token per row.
   */
  readonly promptTokens?: number;
  /** One importance value per token, computed by the encoder, if it has an output `vision_saliency`. */
  readonly saliency?: Float32Array;
  /**
   * The results of @mmtok/core with order, gains, coverage, and bound. Empty if no selection ran or a `select` function was used.
   * With `allocation: 'shared'`, the result covers all images of the prompt, and indices are relative to the prompt's first
   * vision token. With `'perTile'`, there is one result per tile.
   */
  readonly selections: readonly Selection[];
}

/** One prompt of the batch. */
export interface PromptReport {
  /** The text that drove coverage. Absent if no selection ran. */
  readonly question?: Question;
  /** What the agent added to the question. Absent without an agent. */
  readonly agent?: AgentReport;
  /** Number of tokens that the language model would have processed without pruning, excluding padding. */
  readonly promptTokens: number;
  /** Number of tokens that it actually processed. */
  readonly keptPromptTokens: number;
}

/** The predicted cost and savings of selection, in milliseconds, and the resulting action. */
export interface SelectionCost {
  /**
   * `'selected'`: used the requested features. `'selectedProjected'`: used projected tokens, because wider features would have
   * cost more than they save. `'keptAll'`: skipped selection, because it would have cost more than it saves.
   */
  readonly action: 'selected' | 'selectedProjected' | 'keptAll';
  /** Predicted time of selection with the features used. */
  readonly selectMs: number;
  /** Predicted reduction of the language model's prefill time. */
  readonly savedMs: number;
}

/** Milliseconds per phase. */
export interface PruneTimings {
  /** The vision encoder; 0 if its output was reused from an earlier turn. */
  readonly encodeMs: number;
  /** Waiting for the agent. Absent without an agent. */
  readonly agentMs?: number;
  /** Question processing, similarities, and search. */
  readonly selectMs: number;
  /** The language model's prefill of the prompt. */
  readonly prefillMs: number;
  /**
   * Time from pixels to the first token: encoder, agent, selection, and prefill. Image preprocessing by the processor is not included.
   */
  readonly firstTokenMs: number;
  /** All subsequent steps of the language model; 0 until the call has finished. */
  readonly decodeMs: number;
}

/** Milliseconds of the phases before the first token. */
export interface PhaseTimes {
  /** The processor: resizing, tiling, and tokenizing. */
  readonly processMs: number;
  readonly encodeMs: number;
  readonly selectMs: number;
  readonly prefillMs: number;
}

/** The plan for a time budget, and the measured result. */
export interface PlanReport {
  /** The budget: milliseconds from pixels to the first token. */
  readonly firstTokenMs: number;
  /** Predicted and measured milliseconds. */
  readonly predictedMs: number;
  readonly tookMs: number;
  /** The same by phase. Processing is measured before the plan is made, so its prediction is its measured time. */
  readonly phases: { readonly predicted: PhaseTimes; readonly took: PhaseTimes };
  /** Whether the prediction is within the budget. If not, this is the cheapest plan. */
  readonly isFeasible: boolean;
  /** Vision tokens of the images at the selected resolution, and how many of them to encode and to keep. */
  readonly visionTokens: number;
  readonly encodedTokens: number;
  readonly keptTokens: number;
  /** Number of tiles to encode. Absent if images are not tiled. */
  readonly tiles?: number;
}

/** The report of one call of `generate` or of the model itself. Structured-cloneable. */
export interface PruneReport {
  readonly reason: PruneReason;
  /** Vision tokens of all images in the call. */
  readonly visionTokens: number;
  readonly keptTokens: number;
  readonly images: readonly ImageReport[];
  /** One per prompt of the batch. */
  readonly prompts: readonly PromptReport[];
  /** Which features vision coverage used. Absent if no selection ran. */
  readonly visionFeatureSource?: VisionFeatureSource;
  /** The forecast that decided whether to select. Absent if there was no forecast: see the option `costGuard`. */
  readonly selectionCost?: SelectionCost;
  /** Whether the features were standardized. */
  readonly standardized: boolean;
  readonly positions: PositionPolicy;
  readonly timings: PruneTimings;
  /** Present in answers of `createVlm` with a time budget, and in the reports passed to its `onReport`. */
  readonly plan?: PlanReport;
  /** Human-readable notes for the caller. */
  readonly notes: readonly string[];
}
