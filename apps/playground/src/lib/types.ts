// Messages between the page and its worker, and the format of the precomputed examples. Plain data only.

import type { AnswerChange } from './precomputed.js';
import type { TileChoice } from './tiles.js';

/** `[rows, columns]` of vision tokens. */
export type Grid = readonly [rows: number, columns: number];

/** Where the model runs. */
export type Device = 'wasm-1' | 'wasm' | 'webgpu';

/** The embedded models: `base` knows drawn shapes; `tiled` also reads signs, and cuts images into tiles. */
export type EmbeddedSize = 'base' | 'tiled';

/** Which model to load: an embedded one, or one from the Hugging Face Hub. */
export type ModelChoice =
  | { readonly kind: 'embedded'; readonly size: EmbeddedSize }
  | { readonly kind: 'hub'; readonly id: string; readonly dtype: string };

/** Facts about a loaded model. */
export interface EngineFacts {
  readonly modelId: string;
  readonly family: string;
  readonly device: Device;
  readonly threads: number;
  /** Temperature of text coverage that the family takes. */
  readonly textTemperature: number;
  readonly dtype: string;
  /** What was requested but is unavailable. */
  readonly notes: readonly string[];
  readonly loadMs: number;
}

/** Bytes of a model that have arrived. */
export interface Progress {
  readonly file: string;
  readonly loaded: number;
  readonly total: number;
}

/** Tokens in the order in which a greedy method picks them: the first k are the choice for k tokens. */
export interface Ranking {
  readonly order: readonly number[];
  /** What each pick adds to each term, weight included. */
  readonly gains: Readonly<Record<string, readonly number[]>>;
  /** Share of each term that the first k picks cover, for k = 1, 2, …. */
  readonly coverage: Readonly<Record<string, readonly number[]>>;
  readonly selectMs: number;
}

/** The two methods that the main view ranks by. */
export type RankingMethod = 'mmtok' | 'focus';

/** The strength of the focus. */
export const FOCUS = 3;

/** Every method of the comparison. */
export type MethodName = RankingMethod | 'divprune' | 'random' | 'uniform' | 'custom';

/** A text token that drives coverage, with its cosine to every vision token; `null` for tokens that were not encoded. */
export interface Word {
  readonly text: string;
  readonly similarity: readonly (number | null)[];
}

/** A tile of the image, and its part of the vision tokens. */
export interface TilePart {
  readonly start: number;
  readonly visionTokens: number;
  readonly grid?: Grid;
  /** Which part of the image it shows, where the model's prompt tells. */
  readonly imagePart?: readonly [row: number, column: number] | 'overview';
  /** Present if the tile was not encoded. */
  readonly isSkipped?: true;
  /** Its worth relative to the most useful tile, from 0 to 1, where tiles were ranked. */
  readonly worth?: number;
}

/** Everything that the image shows for one image and one question. */
export interface Analysis {
  readonly visionTokens: number;
  readonly tiles: readonly TilePart[];
  readonly words: readonly Word[];
  readonly rankings: Readonly<Record<RankingMethod, Ranking>>;
}

/** Which kept token represents which target. */
export interface Owners {
  /** For each vision token, the kept token that resembles it most; `null` for tokens that were not encoded. */
  readonly vision: readonly (number | null)[];
  /** For each word, the kept token that resembles it most. */
  readonly words: readonly number[];
}

/** Milliseconds of each phase. */
export interface Phases {
  readonly encodeMs: number;
  readonly selectMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/** An answer with its counts and times. */
export interface AnswerResult {
  readonly text: string;
  readonly keptTokens: number;
  readonly visionTokens: number;
  /** Kept vision tokens, ascending. */
  readonly indices: readonly number[];
  readonly phases: Phases;
}

/** An error as the page shows it. */
export interface Problem {
  readonly message: string;
  readonly code?: string;
}

/** An image on its way to the worker. */
export interface ImageFile {
  /** Tells images apart, so that one is decoded only once. */
  readonly key: string;
  readonly blob: Blob;
}

/** What to ask. */
export interface AskInput {
  readonly image: ImageFile;
  readonly question: string;
  /** How many vision tokens to keep; `false` for all. */
  readonly keep: number | false;
  /** Which tiles to encode, unless all tokens are kept. @default 'all' */
  readonly tiles?: TileChoice | undefined;
  readonly method: MethodName;
  /** Source of the user's own `select`, for the method `'custom'`. */
  readonly code?: string;
  readonly maxNewTokens: number;
}

/** The worker's functions: what goes in and what comes out. */
export interface Calls {
  load: {
    readonly input: {
      readonly model: ModelChoice;
      readonly device: Device;
      /** Folder of the site, as a URL that ends in a slash. */
      readonly site: string;
    };
    readonly output: EngineFacts;
  };
  analyze: {
    readonly input: {
      readonly image: ImageFile;
      readonly question: string;
      readonly tiles?: TileChoice | undefined;
    };
    readonly output: Analysis;
  };
  owners: {
    readonly input: { readonly kept: readonly number[] };
    readonly output: Owners;
  };
  answer: { readonly input: AskInput; readonly output: AnswerResult };
}

/** The name of one of the worker's functions. */
export type CallName = keyof Calls;

/** A message to the worker. */
export type Request =
  | {
      [Name in CallName]: { readonly id: number; readonly name: Name; readonly input: Calls[Name]['input'] };
    }[CallName]
  | { readonly id: number; readonly name: 'cancel' };

/** A message from the worker. */
export type Reply =
  | { readonly id: number; readonly kind: 'progress'; readonly progress: Progress }
  | { readonly id: number; readonly kind: 'piece'; readonly text: string }
  | { readonly id: number; readonly kind: 'done'; readonly output: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly problem: Problem };

/** Everything about one example, computed in Node ahead of time. */
export interface PrecomputedExample {
  readonly image: string;
  readonly question: string;
  /** Which tiles were encoded; absent for models without tiles. */
  readonly tiles?: TileChoice;
  readonly analysis: Analysis;
  /** The answer from all tokens. */
  readonly all: string;
  /** The answers at every stop of the slider. */
  readonly kept: Readonly<Record<RankingMethod, readonly AnswerChange[]>>;
  /** The comparison at one budget. */
  readonly comparison: {
    readonly tokens: number;
    readonly results: Readonly<Partial<Record<MethodName, AnswerResult>>>;
  };
}
