// Measures how pruning affects speed and memory at a model's true dimensions, starting from pixels: the same prompt with all
// vision tokens and with each budget, interleaved within one run. Weights are random, so answers are meaningless, but times
// are the same as with real weights.

import { type Backend, InvalidOptionsError, parseBudget } from '@mmtok/core';
import { parseOptions, resolveBudget } from '@mmtok/core/internal';
import * as z from 'zod';
import { describeMachine } from '../describe-machine.js';
import { RandomDecoder, weightBytes } from './decoder.js';
import {
  isConvolutional,
  layerPattern,
  type ModelDims,
  parameterCounts,
  parseModelDims,
  tokensPerTile,
} from './dims.js';
import { type EncoderOptions, encoderBytes, RandomEncoder } from './encoder.js';
import { checkRoom } from './memory.js';
import { mixerPeriod } from './mixers.js';
import { type Case, type CaseContext, encoderPeaksOf, peaksOf, runCase, syntheticPrompt } from './passes.js';
import { notesOf, rowsOf, type SpeedResult, type SpeedRow, type TimedRun, timed } from './result.js';
import type { SpeedRuntime } from './runtime.js';
import { positiveInt } from './schemas.js';
import type { SpeedDtype } from './sketch.js';

/** Progress of a measurement. */
export interface SpeedProgress {
  readonly phase: 'features' | 'weights' | 'load' | 'encode' | 'warmUp' | 'measure';
  /** Bytes of weights, or passes over a prompt. */
  readonly done: number;
  readonly total: number;
}

/** What {@link measureSpeed} takes. */
export interface SpeedOptions {
  readonly dims: ModelDims;
  /** Layers to build, a multiple of the period of their mixers; times of fewer are scaled to the model's depth. @default all */
  readonly layers?: number;
  /** Encoder layers to build, a multiple of its window pattern; times are scaled likewise. @default all */
  readonly encoderLayers?: number;
  /** Also measure each budget with only this many tiles encoded, including the overview; shares still count all tokens. */
  readonly tiles?: number;
  /** As text. @default those of `dims` */
  readonly budgets?: readonly string[];
  /** @default 'fp32' */
  readonly dtype?: SpeedDtype;
  /** The module `onnxruntime-node`. */
  readonly runtime: SpeedRuntime;
  /** An execution provider for the decoder. @default 'cpu' */
  readonly device?: string;
  /** The backend that selects tokens; the caller disposes it. */
  readonly backend: Backend;
  /** Text tokens of the prompt: template and question. @default 64 */
  readonly textTokens?: number;
  /** Passes over each prompt; results are medians. @default 3 */
  readonly rounds?: number;
  /** Tokens to generate after each. @default 8 */
  readonly decodeTokens?: number;
  readonly onProgress?: (progress: SpeedProgress) => void;
}

const schema = z.object({
  layers: positiveInt.optional(),
  encoderLayers: positiveInt.optional(),
  tiles: positiveInt.optional(),
  dtype: z.enum(['fp32', 'fp16', 'q4']).default('fp32'),
  device: z.string().default('cpu'),
  textTokens: positiveInt.default(64),
  rounds: positiveInt.default(3),
  decodeTokens: positiveInt.default(8),
});

/**
 * Builds an encoder and a decoder with these dimensions and random weights, and measures them.
 *
 * @throws InvalidOptionsError, InvalidBudgetError for invalid options, for budgets that keep all tokens, and for weights
 * that do not fit in memory or on disk.
 * @example
 * const { rows } = await measureSpeed({ dims: findModelDims('smolvlm-256m'), runtime: ort, backend });
 */
export async function measureSpeed(options: SpeedOptions): Promise<SpeedResult> {
  const { runtime, backend, onProgress = () => undefined } = options;
  const dims = parseModelDims(options.dims);
  const settings = parseOptions('options of measureSpeed', schema, options);
  const { dtype, device, textTokens, rounds, decodeTokens, layers = dims.layers } = settings;
  checkLayers(dims, layers);
  const encoderLayers = encoderLayersOf(dims, settings.encoderLayers);
  const cases = casesOf(dims, options.budgets ?? dims.keep, settings.tiles);
  const encoderOptions: EncoderOptions | undefined = dims.encoder && {
    runtime,
    encoder: dims.encoder,
    layers: encoderLayers ?? 0,
    dtype,
    hidden: dims.hidden,
    device,
    onWritten: (done) => onProgress({ phase: 'weights', done, total: bytes }),
  };
  const encoderWeights = encoderOptions === undefined ? 0 : encoderBytes(encoderOptions);
  const bytes = weightBytes({ dims, layers, dtype }) + encoderWeights;
  checkRoom({ dims, layers, dtype, device, bytes });
  const started = new Date().toISOString();

  onProgress({ phase: 'features', done: 0, total: 1 });
  const prompt = syntheticPrompt(dims, textTokens);
  const encoder = encoderOptions && (await RandomEncoder.build(encoderOptions));
  let decoder: RandomDecoder | undefined;
  try {
    decoder = await RandomDecoder.build({
      runtime,
      dims,
      layers,
      dtype,
      device,
      maxLength: dims.visionTokens + textTokens + decodeTokens,
      onWritten: (done) => onProgress({ phase: 'weights', done: encoderWeights + done, total: bytes }),
      onLoad: () => onProgress({ phase: 'load', done: 0, total: 1 }),
    });
    const context: CaseContext = {
      decoder,
      backend,
      prompt,
      scale: dims.layers / layers,
      hidden: dims.hidden,
    };
    const tileCounts = [...new Set(cases.flatMap(({ tiles }) => tiles ?? []))];
    if (encoder !== undefined) onProgress({ phase: 'encode', done: 0, total: rounds + 1 });
    const encoderPeaks = encoder && (await encoderPeaksOf(encoder, tileCounts));
    const peaks = await peaksOf(context, cases, (done) =>
      onProgress({ phase: 'warmUp', done, total: cases.length }),
    );
    const runs = new Map<Case, TimedRun[]>(cases.map((one) => [one, []]));
    for (let round = 0; round < rounds; round++) {
      if (encoder !== undefined) onProgress({ phase: 'encode', done: round + 1, total: rounds + 1 });
      const encodeMs = new Map<number | undefined, number>();
      for (const count of tileCounts) encodeMs.set(count, (await encoder?.encode(count)) ?? 0);
      for (const [at, one] of cases.entries()) {
        const done = round * cases.length + at;
        onProgress({ phase: 'measure', done, total: rounds * cases.length });
        runs.get(one)?.push(timed(await runCase(context, one, decodeTokens), encodeMs.get(one.tiles) ?? 0));
      }
    }
    const rows = rowsOf(runs, peaks, encoderPeaks);
    const counts = parameterCounts(dims);
    return {
      dims,
      builtLayers: layers,
      isScaled: layers < dims.layers,
      builtEncoderLayers: encoderLayers,
      dtype,
      device,
      backend: `${backend.name} (${backend.device})`,
      parameters: counts.layers + counts.head,
      weightBytes: bytes,
      textTokens,
      rounds,
      decodeTokens,
      machine: describeMachine(),
      started,
      rows,
      notes: notesOf(dims, layers, encoderLayers, rows[0] as SpeedRow),
    };
  } finally {
    await decoder?.dispose();
    await encoder?.dispose();
  }
}

/** @throws InvalidOptionsError for more layers than there are, or a part of the period of the mixers. */
function checkLayers(dims: ModelDims, layers: number): void {
  const period = mixerPeriod(dims);
  if (layers <= dims.layers && layers % period === 0) return;
  const expected = period === 1 ? 'at most' : `a multiple of ${period}, up to`;
  throw new InvalidOptionsError('layers', [
    `expected ${expected} the ${dims.layers} layers of ${dims.title}, got ${layers}`,
  ]);
}

/**
 * How many layers of the encoder to build; undefined without an encoder, and for a convolutional tower, which is built whole.
 * @throws InvalidOptionsError for more layers than there are, or a part of the window pattern.
 */
function encoderLayersOf({ title, encoder }: ModelDims, wanted: number | undefined): number | undefined {
  if (encoder === undefined || isConvolutional(encoder)) {
    if (wanted === undefined) return undefined;
    throw new InvalidOptionsError('encoderLayers', [
      encoder === undefined
        ? `the dimensions of ${title} have no encoder; leave this option out`
        : `${encoder.title} is convolutional and is always built whole; leave this option out`,
    ]);
  }
  const layers = wanted ?? encoder.layers;
  const pattern = layerPattern(encoder);
  if (layers <= encoder.layers && layers % pattern === 0) return layers;
  throw new InvalidOptionsError('encoderLayers', [
    `expected a multiple of ${pattern}, up to the ${encoder.layers} layers of ${encoder.title}, got ${layers}`,
  ]);
}

/** All tokens, then the budgets, largest first, so that the last case needs the least memory; the same for fewer tiles. */
function casesOf(dims: ModelDims, budgets: readonly string[], someTiles: number | undefined): Case[] {
  const { title, visionTokens, encoder } = dims;
  if (new Set(budgets).size < budgets.length) {
    throw new InvalidOptionsError('budgets', ['each may be named only once']);
  }
  const parsed = budgets.map((budget) => [budget, parseBudget(budget)] as const);
  for (const [budget, one] of parsed) {
    if ('coverage' in one || resolveBudget(one, visionTokens).max < visionTokens) continue;
    throw new InvalidOptionsError('budgets', [
      `'${budget}' keeps all ${visionTokens} vision tokens of ${title}, so nothing would be pruned`,
    ]);
  }
  if (someTiles !== undefined && someTiles >= (encoder?.tiles ?? 1)) {
    throw new InvalidOptionsError('tiles', [
      `expected fewer than the ${encoder?.tiles ?? 1} of ${title}, got ${someTiles}`,
    ]);
  }
  const whole: Case = { budget: 'all', tiles: encoder?.tiles, encodedTokens: visionTokens };
  const pruned = parsed.map(([budget, one]): Case => ({ ...whole, budget, parsed: one }));
  const some =
    someTiles === undefined ? [] : [whole, ...pruned].map((one) => withTiles(dims, one, someTiles));
  const atMost = ({ parsed: budget, encodedTokens }: Case): number =>
    budget === undefined ? encodedTokens : Math.min(encodedTokens, resolveBudget(budget, visionTokens).max);
  return [whole, ...[...pruned, ...some].toSorted((a, b) => atMost(b) - atMost(a))];
}

/** A case with only some tiles. A share counts the tokens of all tiles, capped at the number of encoded tokens. */
function withTiles({ encoder, visionTokens }: ModelDims, { budget, parsed }: Case, tiles: number): Case {
  const encodedTokens = tiles * (encoder === undefined ? 0 : tokensPerTile(encoder));
  const isShare = parsed !== undefined && 'ratio' in parsed;
  const own = isShare ? { tokens: resolveBudget(parsed, visionTokens).max } : parsed;
  return { budget, tiles, encodedTokens, ...(own && { parsed: own }) };
}
