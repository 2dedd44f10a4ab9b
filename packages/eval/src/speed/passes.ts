// Single passes over a synthetic prompt: select tokens, read the prompt, generate a few tokens, with time and peak memory.

import {
  type Backend,
  type Budget,
  type Float32Tensor,
  selectTokens,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { areTooWide, gatherRows } from '@mmtok/core/internal';
import { syntheticFeatures, syntheticText } from '@mmtok/core/testing/features';
import { median } from '../stats/statistics.js';
import type { RandomDecoder } from './decoder.js';
import type { ModelDims } from './dims.js';
import type { RandomEncoder } from './encoder.js';
import { peakBytesOf, residentBytes } from './memory.js';
import type { SpeedTimes } from './result.js';

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
export interface CaseContext {
  readonly decoder: RandomDecoder;
  readonly backend: Backend;
  readonly prompt: SyntheticPrompt;
  readonly hidden: number;
  /** The model's layers divided by those that were built. */
  readonly scale: number;
}

/** One pass over a prompt, and the tokens generated after it. */
export interface CaseRun extends Omit<SpeedTimes, 'encodeMs' | 'firstTokenMs'> {
  readonly visionTokens: number;
  readonly promptTokens: number;
  readonly cacheBytes: number;
}

/** Runs one case and times it. */
export async function runCase(context: CaseContext, one: Case, decodeTokens: number): Promise<CaseRun> {
  const { decoder, prompt, scale, hidden } = context;
  const { text, next } = prompt;
  const started = performance.now();
  const kept = await keptRows(context, one);
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
async function keptRows(
  { backend, prompt }: CaseContext,
  { parsed, encodedTokens }: Case,
): Promise<Float32Array> {
  const vision = firstRows(prompt.vision, encodedTokens);
  if (parsed === undefined) return vision.data;
  // The default choice of prune().
  const isWide = areTooWide(prompt.visionFeatures.dims[1] as number, prompt.vision.dims[1] as number);
  const visionFeatures = isWide ? vision : firstRows(prompt.visionFeatures, encodedTokens);
  const { indices } = await selectTokens({
    backend,
    coverage: [textCoverage(), visionCoverage()],
    vision,
    visionFeatures,
    text: prompt.question,
    budget: parsed,
  });
  return gatherRows(vision.data, vision.dims[1] as number, indices);
}

function firstRows({ data, dims: [, width = 0] }: Float32Tensor, rows: number): Float32Tensor {
  return float32(data.subarray(0, rows * width), [rows, width]);
}

// Peak memory of each case, on top of the loaded model.

/** Encodes each number of tiles once, from few tiles to many, and returns the peak memory of each. */
export async function encoderPeaksOf(
  encoder: RandomEncoder,
  tiles: readonly number[],
): Promise<ReadonlyMap<number, number | undefined>> {
  const loaded = residentBytes();
  const peaks = new Map<number, number | undefined>();
  for (const count of tiles.toSorted((a, b) => a - b)) {
    const peak = await peakBytesOf(() => encoder.encode(count));
    peaks.set(count, peak === undefined ? undefined : above(loaded, peak));
  }
  return peaks;
}

/** V8 interprets the code of the first few selections, which then take two to three times as long as later ones. */
const WARM_SELECTIONS = 6;

/**
 * Runs every case once and returns its peak memory on top of the loaded model, if the system reports it. Cases run from few
 * tokens to many, because the runtime does not release memory, which would hide the needs of smaller cases. For the same
 * reason, the selection, which the case without pruning does not need, runs first and is added to all other cases.
 */
export async function peaksOf(
  context: CaseContext,
  cases: readonly Case[],
  onCase: (done: number) => void,
): Promise<ReadonlyMap<Case, number | undefined>> {
  const { decoder, prompt } = context;
  // Touches all weights, which may be memory-mapped from disk.
  await decoder.run(prompt.next, decoder.emptyCache());
  const loaded = residentBytes();
  const pruned = cases.findLast(({ parsed }) => parsed !== undefined);
  const selecting = await peakBytesOf(async () => {
    if (pruned !== undefined) await keptRows(context, pruned);
  });
  for (let time = 1; pruned !== undefined && time < WARM_SELECTIONS; time++) await keptRows(context, pruned);
  const ready = residentBytes();
  const peaks = new Map<Case, number | undefined>();
  for (const [done, one] of cases.toReversed().entries()) {
    onCase(done);
    const peak = await peakBytesOf(() => runCase(context, one, 1));
    const selection = one.parsed === undefined || selecting === undefined ? 0 : above(loaded, selecting);
    peaks.set(one, peak === undefined ? undefined : above(ready, peak) + selection);
  }
  return peaks;
}

/** How far a peak is above the earlier resident memory; at least 0, because the system may have reclaimed some meanwhile. */
const above = (before: number, peak: number): number => Math.max(0, peak - before);

// A prompt with a model's shapes: vision tokens, features, and text. Features are smooth, as in real images, because selection
// time depends on that too.

/** How many of the text tokens belong to the question, which guides the selection. */
const QUESTION_TOKENS = 12;

/** A prompt before pruning, and the token that follows it. */
export interface SyntheticPrompt {
  readonly vision: Float32Tensor;
  readonly visionFeatures: Float32Tensor;
  /** Template and question; the question's tokens come first. */
  readonly text: Float32Tensor;
  readonly question: Float32Tensor;
  readonly next: Float32Array;
}

/** Generates a prompt. */
export function syntheticPrompt(
  { visionTokens, visionWidth, hidden }: ModelDims,
  textTokens: number,
): SyntheticPrompt {
  const vision = visionMap(visionTokens, hidden, 1);
  const text = syntheticText(vision, textTokens, 2);
  const asked = Math.min(QUESTION_TOKENS, textTokens);
  return {
    vision,
    visionFeatures: visionMap(visionTokens, visionWidth, 3),
    text,
    question: { ...text, data: text.data.subarray(0, asked * hidden), dims: [asked, hidden] },
    next: text.data.slice(0, hidden),
  };
}

/** `n` tokens `[n, dim]` of a square map; the last row may be incomplete. */
function visionMap(n: number, dim: number, seed: number): Float32Tensor {
  const side = Math.ceil(Math.sqrt(n));
  const size = { height: Math.ceil(n / side), width: side, dim };
  const { data } = syntheticFeatures({ ...size, clusters: 8, noise: 0.5, common: 0.8, seed });
  return float32(data.subarray(0, n * dim), [n, dim]);
}
