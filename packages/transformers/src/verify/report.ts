// What a verification finds: plain data, to be shown as a table or a page, or attached to an issue as JSON.

import type { PositionPolicy, QuestionSource, TileReport, VisionFeatureSource } from '../report.js';
import type { QuestionKind } from './pictures.js';

/**
 * `'warn'`: not as it should be, but within what rounding or the model explains. `'skipped'`: could not be checked here,
 * `detail` says why.
 */
export type CheckStatus = 'pass' | 'warn' | 'fail' | 'skipped';

/** What is checked. */
export type CheckName =
  /** Keeping all tokens, through the rewriting path, gives what the unmodified library gives. */
  | 'keepAll'
  /** A pruned answer is what the unmodified library gives for the shortened prompt. */
  | 'shortenedPrompt'
  /** The features from before the projector belong to the vision tokens, row by row. */
  | 'tap'
  /** Exposing them leaves the encoder's own output as it was. */
  | 'tapOutput'
  /** The text that drives the selection is the question. */
  | 'text'
  /** The selection differs from a random one, and from one by text alone. */
  | 'baselines';

/** The result of one check. */
export interface VerifyCheck {
  readonly name: CheckName;
  readonly status: CheckStatus;
  /** What was found, as a sentence. */
  readonly detail: string;
  /** The numbers behind it. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** The text that drove a selection, down to the tokens. */
export interface VerifiedText {
  readonly source: QuestionSource;
  /** The text that was read from the prompt. */
  readonly text: string;
  readonly words: readonly string[];
  readonly ids: readonly number[];
  /** Each id, decoded by itself. */
  readonly tokens: readonly string[];
}

/** An answer from a part of the vision tokens. */
export interface VerifiedAnswer {
  /** The share of vision tokens that was asked for; 1 is the unmodified library. */
  readonly keep: number;
  readonly keptTokens: number;
  readonly text: string;
  /** Whether it is, token for token, the answer from all of them. */
  readonly sameAsAll: boolean;
}

/** What was found for one picture. */
export interface VerifiedPicture {
  readonly name: string;
  readonly kind: QuestionKind;
  readonly question: string;
  readonly width: number;
  readonly height: number;
  /** A small copy as a `data:` URL. */
  readonly preview: string;
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** Kept tokens by tile, for an overlay. */
  readonly tiles: readonly TileReport[];
  readonly text?: VerifiedText;
  /** The share of the kept tokens that others would keep too. */
  readonly overlap: {
    readonly random: number;
    /** What chance gives: the share of tokens kept. */
    readonly expected: number;
    readonly textOnly?: number;
  };
  readonly answers: readonly VerifiedAnswer[];
}

/** Times of a call, from the picture's pixels to the last token of an answer of fixed length. Medians, in milliseconds. */
export interface VerifyTiming {
  /** The share of vision tokens that was asked for: 1 for the unmodified prompt, 0 for a single token. */
  readonly keep: number;
  readonly keptTokens: number;
  /** Tokens that the language model processed before it answered. */
  readonly promptTokens: number;
  /** Image processing and tokenization. */
  readonly processMs: number;
  readonly encodeMs: number;
  readonly selectMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly totalMs: number;
  /** Against all tokens. */
  readonly speedup: number;
  /** Highest resident memory seen during the calls. Absent in browsers. */
  readonly peakBytes?: number;
}

/** How far pruning can go on this model and machine. */
export interface SpeedLimit {
  /** The share of the unpruned call that pruning cannot touch: image processing and the vision encoder. */
  readonly fixedShare: number;
  /** The speedup if everything else took no time at all. */
  readonly bound: number;
  /** The speedup with a single vision token, measured. */
  readonly measured: number;
}

/** Memory of the process, in bytes. */
export interface VerifyMemory {
  /** Resident when the verification began. */
  readonly startBytes: number;
  /** The process's highest so far, loading included, as the operating system counts it. */
  readonly peakBytes: number;
}

/** What was verified. */
export interface VerifiedModel {
  /** Hub id or folder. */
  readonly source: string;
  readonly family: string;
  readonly modelType: string;
  readonly library: string;
  /** Precision and device of each session, as far as the library notes them. */
  readonly sessions: Readonly<Record<string, { readonly dtype?: string; readonly device?: string }>>;
  readonly positions: PositionPolicy;
  readonly visionFeatureSource: VisionFeatureSource;
}

/** The result of a verification. Structured-cloneable. */
export interface VerifyReport {
  readonly model: VerifiedModel;
  /** Whether no check failed. */
  readonly passed: boolean;
  readonly checks: readonly VerifyCheck[];
  readonly pictures: readonly VerifiedPicture[];
  /** From the fewest vision tokens to all. */
  readonly timings: readonly VerifyTiming[];
  readonly limit?: SpeedLimit;
  readonly memory?: VerifyMemory;
  /** What to make of it. */
  readonly advice: readonly string[];
}
