// Prevents selection from costing more than it saves: compares both forecasts before anything is selected.

import { resolveBudget } from '@mmtok/core/internal';
import type { ModelLike } from '../internal/types.js';
import type { SelectionCost, VisionFeatureSource } from '../report.js';
import type { VisionRows } from './features.js';
import { type ForecastPool, forecast, modelDevice, type SelectionForecast } from './forecast.js';
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
