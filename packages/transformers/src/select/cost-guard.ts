// Prevents selection from costing more than it saves: predicts both from shapes and devices only, before anything is selected. The
// same call always gets the same forecast, regardless of other load on the machine.

import { resolveBudget } from '@mmtok/core/internal';
import { type ModelConfig, type ModelLike, numberAt, section } from '../internal/types.js';
import type { SelectionCost, VisionFeatureSource } from '../report.js';
import type { VisionRows } from './features.js';
import type { Pool } from './pools.js';

/** The options that the guard reads. */
export interface CostGuardSettings {
  readonly costGuard: boolean;
  readonly visionFeatures: 'auto' | VisionFeatureSource;
}

/** The decision of the guard. */
export interface GuardedCost {
  /** The vision tokens with the features to compare. */
  readonly vision: VisionRows;
  /** Absent if the guard is off or the model's configuration does not give its dimensions. */
  readonly cost?: SelectionCost | undefined;
  readonly notes: readonly string[];
}

/** Acceptable loss of a selection, in milliseconds. A smaller loss is negligible and below the accuracy of the forecast. */
const NEGLIGIBLE = 1;

const pays = ({ selectMs, savedMs }: SelectionForecast): boolean => selectMs <= savedMs + NEGLIGIBLE;

/**
 * Selects with the given features if the forecast says that this pays off. Otherwise, uses projected tokens if the options allow
 * it, or skips selection.
 * @param pools the pools that need a selection.
 */
export function guardCost(
  pools: readonly Pool[],
  vision: VisionRows,
  { costGuard, visionFeatures }: CostGuardSettings,
  { model, device }: { readonly model: Pick<ModelLike, 'config' | 'sessions'>; readonly device: string },
): GuardedCost {
  if (!costGuard) return { vision, notes: [] };
  const sizes = pools.map(({ rows, budget }): ForecastPool => {
    const { min, max, target } = resolveBudget(budget, rows.length);
    // The number of tokens that a coverage budget will keep is not known in advance, so the minimum is used.
    return { visionTokens: rows.length, keptTokens: Math.min(rows.length, target === undefined ? max : min) };
  });
  const costWith = (features: VisionRows['features']): SelectionForecast | undefined =>
    forecast({
      pools: sizes,
      featureWidth: features.dims[1] as number,
      tokenWidth: vision.projected.dims[1] as number,
      selectDevice: device,
      modelDevice: modelDevice(model, device),
      config: model.config,
    });
  const given = costWith(vision.features);
  if (given === undefined) return { vision, notes: [] };
  if (pays(given)) return { vision, cost: { action: 'selected', ...given }, notes: [] };

  const isFree = visionFeatures === 'auto' && vision.source !== 'projected';
  const projected = isFree ? costWith(vision.projected) : undefined;
  const milliseconds = (ms: number): string => `${Number(ms.toPrecision(2))} ms`;
  const least = projected ?? given;
  const predicted = ({ selectMs, savedMs }: SelectionForecast): string =>
    `selection would take about ${milliseconds(selectMs)} and save about ${milliseconds(savedMs)} of prefill`;
  if (projected !== undefined && pays(projected)) {
    return {
      vision: { ...vision, features: vision.projected, source: 'projected' },
      cost: { action: 'selectedProjected', ...projected },
      notes: [`${predicted(given)} with features from before the projector, so projected tokens were used`],
    };
  }
  return {
    vision,
    cost: { action: 'keptAll', ...least },
    notes: [`${predicted(least)}, so all vision tokens were kept; set costGuard: false to prune anyway`],
  };
}

/** Multiplications per millisecond, by device, as an order of magnitude. See docs/decisions/0012. */
const SPEEDS: Readonly<Record<string, number>> = {
  wasm: 9e6,
  cpu: 5e7,
  webgpu: 1e9,
  dml: 1e9,
  coreml: 1e9,
  cuda: 2e10,
  tensorrt: 2e10,
};
/** Bytes per millisecond between host and GPU. */
const TRANSFER = 5e6;
/** Milliseconds per value that the greedy search reads, times the number of reads per entry of the n × n matrix. */
const SEARCH = 3.5 * 0.7e-6;
/** Fraction of the products that are computed for a symmetric matrix. */
const SYMMETRIC = 0.6;
/** Typical number of text tokens in a question. */
const QUESTION = 12;

/** The predicted cost and savings of a selection, in milliseconds. */
export interface SelectionForecast {
  /** Time of the selection, with the features used. */
  readonly selectMs: number;
  /** Reduction of the language model's prefill time. */
  readonly savedMs: number;
}

/** A group of vision tokens that share a budget. */
export interface ForecastPool {
  readonly visionTokens: number;
  readonly keptTokens: number;
}

/** The inputs of a forecast. */
export interface ForecastRequest {
  readonly pools: readonly ForecastPool[];
  /** Width of the features that vision coverage compares, and of the projected tokens. */
  readonly featureWidth: number;
  readonly tokenWidth: number;
  /** The devices of token selection and of the language model. */
  readonly selectDevice: string;
  readonly modelDevice: string;
  readonly config: ModelConfig;
}

/** The forecast; `undefined` if the model's configuration does not give its dimensions. */
export function forecast(request: ForecastRequest): SelectionForecast | undefined {
  const { pools, featureWidth, tokenWidth, selectDevice, modelDevice, config } = request;
  const perToken = multiplicationsPerToken(config);
  if (perToken === undefined) return undefined;
  const isHost = selectDevice === 'cpu' || selectDevice === 'wasm';
  let selectMs = 0;
  let removed = 0;
  for (const { visionTokens: n, keptTokens } of pools) {
    removed += n - keptTokens;
    // Computing the row norms accounts for half of the text term's work.
    const products = SYMMETRIC * n ** 2 * featureWidth + n * tokenWidth * (QUESTION + 2);
    const moved = isHost ? 0 : 4 * (n * (featureWidth + tokenWidth) + n ** 2);
    selectMs += products / speedOf(selectDevice) + moved / TRANSFER + SEARCH * n ** 2;
  }
  return { selectMs, savedMs: (removed * perToken) / speedOf(modelDevice) };
}

const speedOf = (device: string): number => SPEEDS[device] ?? (SPEEDS.cpu as number);

/** The device of the language model, as recorded by transformers.js on its sessions. */
export function modelDevice({ sessions }: Pick<ModelLike, 'sessions'>, otherwise: string): string {
  const session = sessions.decoder_model_merged ?? sessions.model ?? sessions.language_model;
  const { device } = (session?.config ?? {}) as { readonly device?: unknown };
  return typeof device === 'string' && device in SPEEDS ? device : otherwise;
}

/** Multiplications of the language model's layers for one token, not including attention. */
function multiplicationsPerToken(config: ModelConfig): number | undefined {
  const text = { ...config, ...section(config, 'language_config'), ...section(config, 'text_config') };
  const hidden = numberAt(text, 'hidden_size', 'd_model');
  const layers = numberAt(text, 'num_hidden_layers', 'encoder_layers');
  const intermediate = numberAt(text, 'intermediate_size', 'encoder_ffn_dim');
  const heads = numberAt(text, 'num_attention_heads', 'encoder_attention_heads');
  if (hidden === undefined || layers === undefined || intermediate === undefined || heads === undefined) {
    return undefined;
  }
  const headDim = numberAt(text, 'head_dim') ?? hidden / heads;
  const keyValueHeads = numberAt(text, 'num_key_value_heads') ?? heads;
  return layers * hidden * (2 * headDim * (heads + keyValueHeads) + 3 * intermediate);
}
