// The result of a speed measurement as plain data, and how it is computed from the times of single passes.

import type { SpeedDtype } from './graph-sketch.js';
import type { ModelDims } from './model-dims.js';

/** Times for the start of an answer, in milliseconds, at the model's full depth. */
export interface SpeedTimes {
  /** The vision encoder with its projector, for the tiles of the row; 0 for dimensions without an encoder. */
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
  /** As given; `'all'` without pruning. */
  readonly budget: string;
  /** How many tiles were encoded; absent for dimensions without an encoder. */
  readonly tiles?: number | undefined;
  /** Vision tokens that the language model reads. */
  readonly visionTokens: number;
  /** Tokens in the cache after the prompt, as the decoder reports them: vision and text. */
  readonly promptTokens: number;
  /** Size of the prompt's keys and values, at the model's full depth. */
  readonly cacheBytes: number;
  /**
   * Peak memory of selection, prompt, and one further token on top of the loaded model, for the layers that were built;
   * absent if the system does not report it.
   */
  readonly peakBytes?: number;
  /** The same for encoding the row's tiles. */
  readonly encodePeakBytes?: number;
  /** Times with all tokens divided by these. */
  readonly speedup: Pick<SpeedTimes, 'prefillMs' | 'firstTokenMs' | 'decodeMs'>;
}

/** A measurement. */
export interface SpeedResult {
  readonly dims: ModelDims;
  /** Layers that were built and run; times of fewer than `dims.layers` are scaled up to that number. */
  readonly builtLayers: number;
  readonly isScaled: boolean;
  /** The same of the encoder; absent without one. */
  readonly builtEncoderLayers?: number | undefined;
  readonly dtype: SpeedDtype;
  /** The device of the decoder, and the one on which tokens were selected. */
  readonly device: string;
  readonly backend: string;
  /** Weights of the full language model without its embedding table, and bytes of all built weights, encoder included. */
  readonly parameters: number;
  readonly weightBytes: number;
  readonly textTokens: number;
  readonly rounds: number;
  readonly decodeTokens: number;
  readonly machine: string;
  /** Start time, in ISO 8601. */
  readonly started: string;
  /** All tokens first, then the budgets, largest first. */
  readonly rows: readonly SpeedRow[];
  /** Caveats for readers of the numbers, as text. */
  readonly notes: readonly string[];
}
