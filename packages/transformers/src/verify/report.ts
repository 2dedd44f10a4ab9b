// The report of a verification: plain data, to show as a table or a page, or to attach to an issue as JSON.

import type { PositionPolicy, QuestionSource, TileReport, VisionFeatureSource } from '../report.js';
import type { QuestionKind } from './images.js';

/**
 * `'warn'`: not as expected, but explained by rounding or by the model. `'skipped'`: could not be checked here; `detail`
 * says why.
 */
export type CheckStatus = 'pass' | 'warn' | 'fail' | 'skipped';

/** The checks. */
export type CheckName =
  /** Keeping all tokens, through the rewriting path, gives the same result as the unmodified library. */
  | 'keepAll'
  /** A pruned answer matches what the unmodified library gives for the shortened prompt. */
  | 'shortenedPrompt'
  /** The features before the projector match the vision tokens, row by row. */
  | 'tap'
  /** Exposing these features does not change the encoder's own output. */
  | 'tapOutput'
  /** The text that drives the selection is the question. */
  | 'text'
  /** The selection differs from a random one, and from a text-only one. */
  | 'baselines';

/** The result of one check. */
export interface VerifyCheck {
  readonly name: CheckName;
  readonly status: CheckStatus;
  /** The finding, as a sentence. */
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
  /** Each id, decoded separately. */
  readonly tokens: readonly string[];
}

/** An answer from a share of the vision tokens. */
export interface VerifiedAnswer {
  /** The requested share of vision tokens; 1 is the unmodified library. */
  readonly keep: number;
  readonly keptTokens: number;
  readonly text: string;
  /** Whether it matches the answer from all vision tokens, token for token. */
  readonly sameAsAll: boolean;
}

/** The findings for one image. */
export interface VerifiedImage {
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
  /** The share of the kept tokens that other selections would also keep. */
  readonly overlap: {
    readonly random: number;
    /** The share expected by chance: the share of tokens kept. */
    readonly expected: number;
    readonly textOnly?: number;
  };
  readonly answers: readonly VerifiedAnswer[];
}

/** Times of a call, from the image's pixels to the last token of a fixed-length answer. Medians, in milliseconds. */
export interface VerifyTiming {
  /** The requested share of vision tokens: 1 for the unmodified prompt, 0 for a single token. */
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
  /** Relative to all tokens. */
  readonly speedup: number;
  /** Peak resident memory during the calls. Absent in browsers. */
  readonly peakBytes?: number;
}

/** How much pruning can save on this model and machine. */
export interface SpeedLimit {
  /** The share of the unpruned call that pruning cannot reduce: image processing and the vision encoder. */
  readonly fixedShare: number;
  /** The speedup if everything else took no time at all. */
  readonly bound: number;
  /** The highest measured speedup of pruned calls: that with a single vision token, unless another was timed faster. */
  readonly measured: number;
}

/** Memory of the process, in bytes. */
export interface VerifyMemory {
  /** Resident memory when the verification began. */
  readonly startBytes: number;
  /** The process's peak so far, including loading, as reported by the operating system. */
  readonly peakBytes: number;
}

/** What was verified. */
export interface VerifiedModel {
  /** Hub id or folder. */
  readonly source: string;
  readonly family: string;
  readonly modelType: string;
  readonly library: string;
  /** Precision and device of each session, if the library records them. */
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
  readonly images: readonly VerifiedImage[];
  /** From the fewest vision tokens to all. */
  readonly timings: readonly VerifyTiming[];
  readonly limit?: SpeedLimit;
  readonly memory?: VerifyMemory;
  /** How to interpret the result. */
  readonly advice: readonly string[];
}
