// What a measurement of speed comes to: plain data, and how it is made of the times of single passes.

import type { SpeedDtype } from './graph-sketch.js';
import type { ModelDims } from './model-dims.js';

/** Times of one answer's beginning, in milliseconds, for the full depth of the model. */
export interface SpeedTimes {
  /** The vision encoder with its projector over the tiles of the row; 0 for dimensions without an encoder. */
  readonly encodeMs: number;
  /** Choosing the tokens and gathering their embeddings; 0 with all tokens. */
  readonly selectMs: number;
  /** The language model over the prompt. */
  readonly prefillMs: number;
  /** From pixels: encoder, selection, and prefill together. */
  readonly firstTokenMs: number;
  /** Each further token. */
  readonly decodeMs: number;
}

/** All tokens, or one budget. */
export interface SpeedRow extends SpeedTimes {
  /** As written; `'all'` without pruning. */
  readonly budget: string;
  /** How many tiles were encoded; absent for dimensions without an encoder. */
  readonly tiles?: number | undefined;
  /** Vision tokens that the language model reads. */
  readonly visionTokens: number;
  /** Tokens in the cache after the prompt, as the decoder reports them: vision and text. */
  readonly promptTokens: number;
  /** Keys and values of the prompt, at the model's full depth. */
  readonly cacheBytes: number;
  /**
   * Memory that selection, prompt and one further token take above the loaded model, at the peak and for the layers that
   * were built; absent where the system does not tell.
   */
  readonly peakBytes?: number;
  /** The same for encoding the row's tiles. */
  readonly encodePeakBytes?: number;
  /** Times with all tokens over these. */
  readonly speedup: Pick<SpeedTimes, 'prefillMs' | 'firstTokenMs' | 'decodeMs'>;
}

/** A measurement. */
export interface SpeedResult {
  readonly dims: ModelDims;
  /** Layers that were built and run; times of fewer than `dims.layers` are multiplied up to those. */
  readonly builtLayers: number;
  readonly isScaled: boolean;
  /** The same of the encoder; absent without one. */
  readonly builtEncoderLayers?: number | undefined;
  readonly dtype: SpeedDtype;
  /** Where the decoder ran, and where tokens were selected. */
  readonly device: string;
  readonly backend: string;
  /** Weights of the full language model without its table of embeddings, and bytes of all that were built, encoder included. */
  readonly parameters: number;
  readonly weightBytes: number;
  readonly textTokens: number;
  readonly rounds: number;
  readonly decodeTokens: number;
  readonly machine: string;
  /** When it began, in ISO 8601. */
  readonly started: string;
  /** All tokens first, then the budgets by how much they keep, most first. */
  readonly rows: readonly SpeedRow[];
  /** What whoever reads the numbers must know, in words. */
  readonly notes: readonly string[];
}
