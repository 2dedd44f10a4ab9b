// The report of one call: what was kept of which image, why, and where the time went. Plain data.

import type { Selection, SelectionReason } from '@mmtok/core';
import type { AgentReport } from '../agent/agent-report.js';
import type { VisionFeatureSource } from '../features/vision-features.js';
import type { PositionPolicy } from '../positions/policy.js';
import type { Question } from '../question/question.js';

/** Why an image, or a whole call, is as it is. */
export type PruneReason =
  | SelectionReason
  /** The prompt has fewer vision tokens than `minVisionTokens`. */
  | 'belowMinVisionTokens'
  /** The prompt has sounds beside its images, which only the unpruned path merges. */
  | 'hasAudio'
  /** Pruning was switched off for the call. */
  | 'disabled'
  /** The prompt has no image. */
  | 'noImage'
  /** The images are in a kept cache, pruned in an earlier turn. */
  | 'frozen';

/** A tile, or the whole picture where an image is not cut up. */
export interface TileReport {
  readonly tokensBefore: number;
  /** Kept tokens of this tile, ascending, counted from its first. */
  readonly indices: readonly number[];
  /** `[rows, columns]` of its tokens, where they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** What became of one image. */
export interface ImageReport {
  /** Row of the batch. */
  readonly row: number;
  /** Number of the image within its row. */
  readonly image: number;
  readonly reason: PruneReason;
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  /** Kept vision tokens, ascending, counted from the image's first. */
  readonly indices: readonly number[];
  readonly tiles: readonly TileReport[];
  /** How much each of its tokens matters by the encoder's own account, where it has an output `vision_saliency`. */
  readonly saliency?: Float32Array;
  /**
   * Core's result with order, gains, coverage and bound. Absent where nothing was selected. Under
   * `allocation: 'shared'` it is that of all images of the row, its indices counted from the row's first vision token;
   * under `'perTile'` there is one per tile.
   */
  readonly selections: readonly Selection[];
}

/** What became of one row of the batch. */
export interface RowReport {
  /** The text that drove coverage. Absent where nothing was selected. */
  readonly question?: Question;
  /** What the agent added to it. Absent without an agent. */
  readonly agent?: AgentReport;
  /** Tokens of the prompt the language model was to process, without padding, as given and as shortened. */
  readonly promptBefore: number;
  readonly promptAfter: number;
}

/** Milliseconds per phase. */
export interface PruneTimings {
  /** The vision encoder; 0 where its output was kept from an earlier turn. */
  readonly encodeMs: number;
  /** Waiting for the agent. Absent without one. */
  readonly agentMs?: number;
  /** Question, similarities and greedy search. */
  readonly selectMs: number;
  /** The language model over the shortened prompt. */
  readonly prefillMs: number;
  /** All further steps of the language model; 0 until the call has ended. */
  readonly decodeMs: number;
}

/** The report of one call of `generate` or of the model itself. */
export interface PruneReport {
  readonly reason: PruneReason;
  /** Vision tokens of all images of the call. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  readonly images: readonly ImageReport[];
  readonly rows: readonly RowReport[];
  /** Which features fed vision coverage. Absent where nothing was selected. */
  readonly visionFeatureSource?: VisionFeatureSource;
  /** Whether the features were standardised. */
  readonly standardised: boolean;
  readonly positions: PositionPolicy;
  readonly timings: PruneTimings;
  /** What a caller should know, in words. */
  readonly notes: readonly string[];
}
