// Runs and times the stages after the encoder: select tokens, read the prompt, generate a few tokens.

import {
  type Backend,
  type Budget,
  type Float32Tensor,
  selectTokens,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { areTooWide } from '@mmtok/core/internal';
import { median } from '../stats/mean.js';
import type { RandomDecoder } from './random-decoder.js';
import type { SpeedTimes } from './speed-result.js';
import type { SyntheticPrompt } from './synthetic-prompt.js';

/** All tokens, or one budget, for all tiles or some. */
export interface Case {
  readonly budget: string;
  /** How many tiles are encoded; absent without an encoder. */
  readonly tiles?: number | undefined;
  /** Vision tokens of these tiles: the first ones of the prompt. */
  readonly encodedTokens: number;
  /** Absent for all tokens. */
  readonly parsed?: Budget;
}

/** What a pass needs. */
export interface Taker {
  readonly decoder: RandomDecoder;
  readonly backend: Backend;
  readonly prompt: SyntheticPrompt;
  readonly hidden: number;
  /** The model's layers divided by those that were built. */
  readonly scale: number;
}

/** One pass over a prompt, and the tokens generated after it. */
export interface Take extends Omit<SpeedTimes, 'encodeMs' | 'firstTokenMs'> {
  readonly visionTokens: number;
  readonly promptTokens: number;
  readonly cacheBytes: number;
}

/** Runs one case and times it. */
export async function take(taker: Taker, one: Case, decodeTokens: number): Promise<Take> {
  const { decoder, prompt, scale, hidden } = taker;
  const { text, next } = prompt;
  const started = performance.now();
  const kept = await keptRows(taker, one);
  const selectMs = one.parsed === undefined ? 0 : performance.now() - started;
  const embeddings = new Float32Array(kept.length + text.data.length);
  embeddings.set(kept);
  embeddings.set(text.data, kept.length);
  const prefill = await decoder.run(embeddings, decoder.emptyCache());
  const prefillMs = prefill.layersMs * scale + prefill.headMs;
  let { cache } = prefill;
  const steps: number[] = [];
  for (let step = 0; step < decodeTokens; step++) {
    const pass = await decoder.run(next, cache);
    steps.push(pass.layersMs * scale + pass.headMs);
    cache = pass.cache;
  }
  return {
    visionTokens: kept.length / hidden,
    promptTokens: prefill.cache.tokens,
    cacheBytes: prefill.cache.bytes * scale,
    selectMs,
    prefillMs,
    decodeMs: median(steps),
  };
}

/** The embeddings of the vision tokens that MMTok keeps, or of all that were encoded. */
export async function keptRows(
  { backend, prompt }: Taker,
  { parsed, encodedTokens }: Case,
): Promise<Float32Array> {
  const vision = firstRows(prompt.vision, encodedTokens);
  // The default choice of prune().
  const isWide = areTooWide(prompt.visionFeatures.dims[1] as number, prompt.vision.dims[1] as number);
  const visionFeatures = isWide ? vision : firstRows(prompt.visionFeatures, encodedTokens);
  const { question } = prompt;
  if (parsed === undefined) return vision.data;
  const { indices } = await selectTokens({
    backend,
    coverage: [textCoverage(), visionCoverage()],
    vision,
    visionFeatures,
    text: question,
    budget: parsed,
  });
  return rowsAt(vision, indices);
}

function firstRows({ data, dims: [, width = 0] }: Float32Tensor, rows: number): Float32Tensor {
  return float32(data.subarray(0, rows * width), [rows, width]);
}

function rowsAt({ data, dims }: Float32Tensor, indices: readonly number[]): Float32Array {
  const width = dims[1] as number;
  const rows = new Float32Array(indices.length * width);
  for (const [at, row] of indices.entries())
    rows.set(data.subarray(row * width, (row + 1) * width), at * width);
  return rows;
}
