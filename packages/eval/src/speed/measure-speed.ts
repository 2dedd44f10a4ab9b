// Measures what pruning does to speed and memory at a model's true dimensions: the same prompt with all vision tokens and
// with each budget, in turns within one run. Weights are random, so answers mean nothing and times mean the same.

import { type Backend, type Budget, InvalidOptionsError, parseBudget } from '@mmtok/core';
import { parseOptions, resolveBudget } from '@mmtok/core/internal';
import * as z from 'zod';
import { describeMachine } from '../describe-machine.js';
import { median } from '../stats/mean.js';
import { checkRoom } from './check-room.js';
import type { SpeedDtype } from './decoder-graph.js';
import { type ModelDims, parameterCounts, parseModelDims } from './model-dims.js';
import { peaksOf } from './peaks.js';
import { RandomDecoder, weightBytes } from './random-decoder.js';
import type { SpeedResult, SpeedRow } from './speed-result.js';
import type { SpeedRuntime } from './speed-runtime.js';
import { syntheticPrompt } from './synthetic-prompt.js';
import { type Case, type Take, type Taker, take } from './take.js';

/** How far a measurement is. */
export interface SpeedProgress {
  readonly phase: 'features' | 'weights' | 'load' | 'warmUp' | 'measure';
  /** Bytes of weights, or passes over a prompt. */
  readonly done: number;
  readonly total: number;
}

/** What {@link measureSpeed} takes. */
export interface SpeedOptions {
  readonly dims: ModelDims;
  /** Layers to build; times of fewer are scaled to the model's depth. @default all */
  readonly layers?: number;
  /** As text. @default those of `dims` */
  readonly budgets?: readonly string[];
  /** @default 'fp32' */
  readonly dtype?: SpeedDtype;
  /** The module `onnxruntime-node`. */
  readonly runtime: SpeedRuntime;
  /** An execution provider for the decoder. @default 'cpu' */
  readonly device?: string;
  /** Where tokens are selected; the caller disposes it. */
  readonly backend: Backend;
  /** Text tokens of the prompt: template and question. @default 64 */
  readonly textTokens?: number;
  /** Passes over each prompt, of which medians are taken. @default 3 */
  readonly rounds?: number;
  /** Tokens to generate after each. @default 8 */
  readonly decodeTokens?: number;
  readonly onProgress?: (progress: SpeedProgress) => void;
}

const count = z.int('expected a whole number').positive('expected at least 1');
const schema = z.object({
  layers: count.optional(),
  dtype: z.enum(['fp32', 'fp16', 'q4']).default('fp32'),
  device: z.string().default('cpu'),
  textTokens: count.default(64),
  rounds: count.default(3),
  decodeTokens: count.default(8),
});

/**
 * Builds a decoder of the dimensions with random weights and measures it.
 *
 * @throws InvalidOptionsError, InvalidBudgetError for wrong options, for budgets that keep all tokens, and for weights
 * that memory or disk have no room for.
 * @example
 * const { rows } = await measureSpeed({ dims: findModelDims('smolvlm-256m'), runtime: ort, backend });
 */
export async function measureSpeed(options: SpeedOptions): Promise<SpeedResult> {
  const { runtime, backend, onProgress = () => undefined } = options;
  const dims = parseModelDims(options.dims);
  const settings = parseOptions('options of measureSpeed', schema, options);
  const { dtype, device, textTokens, rounds, decodeTokens, layers = dims.layers } = settings;
  if (layers > dims.layers) {
    throw new InvalidOptionsError('layers', [`${dims.title} has ${dims.layers}, got ${layers}`]);
  }
  const cases = casesOf(dims, options.budgets ?? dims.keep);
  const bytes = weightBytes({ dims, layers, dtype });
  checkRoom({ dims, layers, dtype, device, bytes });
  const started = new Date().toISOString();

  onProgress({ phase: 'features', done: 0, total: 1 });
  const prompt = syntheticPrompt(dims, textTokens);
  const decoder = await RandomDecoder.build({
    runtime,
    dims,
    layers,
    dtype,
    device,
    maxLength: dims.visionTokens + textTokens + decodeTokens,
    onWritten: (done) => onProgress({ phase: 'weights', done, total: bytes }),
    onLoad: () => onProgress({ phase: 'load', done: 0, total: 1 }),
  });
  try {
    const taker: Taker = { decoder, backend, prompt, scale: dims.layers / layers, hidden: dims.hidden };
    const peaks = await peaksOf(taker, cases, (done) =>
      onProgress({ phase: 'warmUp', done, total: cases.length }),
    );
    const takes = new Map<string, Take[]>(cases.map(({ budget }) => [budget, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [at, one] of cases.entries()) {
        const done = round * cases.length + at;
        onProgress({ phase: 'measure', done, total: rounds * cases.length });
        takes.get(one.budget)?.push(await take(taker, one, decodeTokens));
      }
    }
    const { perLayer, head } = parameterCounts(dims);
    return {
      dims,
      builtLayers: layers,
      isScaled: layers < dims.layers,
      dtype,
      device,
      backend: `${backend.name} (${backend.device})`,
      parameters: dims.layers * perLayer + head,
      weightBytes: bytes,
      textTokens,
      rounds,
      decodeTokens,
      machine: describeMachine(),
      started,
      rows: rowsOf(takes, peaks),
      notes: notesOf(dims, layers),
    };
  } finally {
    await decoder.dispose();
  }
}

/** All tokens, then the budgets by how much they keep, so that the last needs least memory. */
function casesOf(dims: ModelDims, budgets: readonly string[]): Case[] {
  if (new Set(budgets).size < budgets.length) {
    throw new InvalidOptionsError('budgets', ['each may be named only once']);
  }
  const cases = budgets.map((budget) => ({ budget, parsed: parseBudget(budget) }));
  for (const { budget, parsed } of cases) {
    if ('coverage' in parsed || resolveBudget(parsed, dims.visionTokens).max < dims.visionTokens) continue;
    throw new InvalidOptionsError('budgets', [
      `'${budget}' keeps all ${dims.visionTokens} vision tokens of ${dims.title}, so nothing would be pruned`,
    ]);
  }
  const atMost = ({ parsed }: { readonly parsed: Budget }): number =>
    resolveBudget(parsed, dims.visionTokens).max;
  return [{ budget: 'all' }, ...cases.toSorted((a, b) => atMost(b) - atMost(a))];
}

function rowsOf(
  takes: ReadonlyMap<string, readonly Take[]>,
  peaks: ReadonlyMap<string, number | undefined>,
): SpeedRow[] {
  const rows = [...takes].map(([budget, all]) => {
    const middle = (key: keyof Take): number => median(all.map((one) => one[key]));
    const peakBytes = peaks.get(budget);
    return {
      budget,
      visionTokens: middle('visionTokens'),
      promptTokens: middle('promptTokens'),
      selectMs: middle('selectMs'),
      prefillMs: middle('prefillMs'),
      firstTokenMs: middle('firstTokenMs'),
      decodeMs: middle('decodeMs'),
      cacheBytes: middle('cacheBytes'),
      ...(peakBytes !== undefined && { peakBytes }),
    };
  });
  const [whole] = rows as [Omit<SpeedRow, 'speedup'>];
  return rows.map((row): SpeedRow => {
    const over = (key: keyof SpeedRow['speedup']): number => whole[key] / row[key];
    return {
      ...row,
      speedup: {
        prefillMs: over('prefillMs'),
        firstTokenMs: over('firstTokenMs'),
        decodeMs: over('decodeMs'),
      },
    };
  });
}

function notesOf(dims: ModelDims, layers: number): string[] {
  const scaled =
    `${layers} of ${dims.layers} layers were built and run: times of the layers and the cache are multiplied by ` +
    `${(dims.layers / layers).toPrecision(3)}; those of the head and the selection, and peak memory, are as measured`;
  return [
    ...(layers < dims.layers ? [scaled] : []),
    'the vision encoder takes the same time in every row and is left out, so that whole answers gain less than first tokens here',
    'weights and features are random: times depend on their shapes alone',
  ];
}
