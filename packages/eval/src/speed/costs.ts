// The cost of each stage up to the first token, counted in multiplications from the dimensions alone: nothing is run.

import { type EncoderDims, tokensPerTile } from './encoder-dims.js';
import { type ModelDims, parameterCounts } from './model-dims.js';

/** Multiplications until the first token, and figures derived from them. */
export interface FirstTokenCosts {
  /** The encoder with its projector; 0 without one. */
  readonly encoder: number;
  /** The language model over the whole prompt. */
  readonly prefill: number;
  /** The encoder's share of both, from 0 to 1. */
  readonly encoderShare: number;
  /**
   * The maximum speedup of the first token from pruning after the encoder: if selection were free and no vision token
   * were kept.
   */
  readonly mostByTokens: number;
}

/**
 * Counts the multiplications until the first token.
 * @param textTokens text tokens of the prompt.
 * @param tiles how many tiles are encoded, including the overview. @default all
 */
export function firstTokenCosts(dims: ModelDims, textTokens: number, tiles?: number): FirstTokenCosts {
  const encoder = dims.encoder === undefined ? 0 : encoderCost(dims.encoder, dims.hidden, tiles);
  const prefill = prefillCost(dims, dims.visionTokens + textTokens);
  const whole = encoder + prefill;
  return {
    encoder,
    prefill,
    encoderShare: encoder / whole,
    mostByTokens: whole / (encoder + prefillCost(dims, textTokens)),
  };
}

/** Multiplications of an encoder for some of its tiles. */
function encoderCost(dims: EncoderDims, outer: number, tiles: number = dims.tiles): number {
  const { hidden, layers, intermediate, gated, patchValues, grid, merge, projector, window } = dims;
  const patches = grid[0] * grid[1];
  const dense = 4 * hidden ** 2 + (gated ? 3 : 2) * hidden * intermediate;
  const full = window === undefined ? layers : Math.floor(layers / window.fullEvery);
  const seen = full * patches + (layers - full) * (window?.side ?? 0) ** 2;
  const perPatch = patchValues * hidden + layers * dense + 2 * hidden * seen;
  const widths = [hidden * merge ** 2, ...projector, outer];
  const perToken = widths.slice(1).reduce((sum, width, at) => sum + width * (widths[at] as number), 0);
  return tiles * (patches * perPatch + tokensPerTile(dims) * perToken);
}

/** Multiplications of the language model for a prompt; its head sees only the last token. */
function prefillCost(dims: ModelDims, tokens: number): number {
  const { perLayer, head } = parameterCounts(dims);
  // Each token attends to the tokens before it: half of the square, for scores and for values.
  const attention = dims.heads * dims.headDim * tokens ** 2;
  return dims.layers * (perLayer * tokens + attention) + head;
}
