// Runs one selection per pool and sorts the results back to images and tiles.

import {
  type CandidateGroup,
  type Constraints,
  type Float32Tensor,
  type MatrixInput,
  type ObjectiveTerm,
  type Selection,
  selectTokens,
} from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { resolveBudget } from '@mmtok/core/internal';
import { repair } from '../features/standardise.js';
import type { VisionEntry } from '../features/vision-cache.js';
import type { VisionRows } from '../features/vision-features.js';
import type { ResolvedOptions } from '../options.js';
import type { PlacedImage } from '../prompt/prompt.js';
import type { ImageReport, PruneReason } from '../report/prune-report.js';
import type { Pool, Stretch } from './pools.js';

/** A pool's selection, or the reason why there was none. */
export interface PoolResult {
  readonly pool: Pool;
  /** Kept tokens, ascending, counted from the pool's first. */
  readonly indices: readonly number[];
  readonly reason: PruneReason;
  readonly selection?: Selection;
  /** Whether the features were standardised for the selection. */
  readonly standardised?: boolean;
}

/** What selections need beside their pools. */
export interface SelectionMaterial {
  readonly options: ResolvedOptions;
  readonly coverage: readonly ObjectiveTerm[];
  readonly vision: VisionRows;
  /** Text rows `[m, D]` of each row of the batch; absent without text. */
  readonly texts: readonly (Float32Tensor | undefined)[];
  /** Feature rows never to keep. */
  readonly excluded: ReadonlySet<number>;
  readonly entry: VisionEntry;
}

/** The input of core's term `saliency()`. */
const SALIENCY_INPUT = 'saliency';

const all = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A pool kept whole, for the reason given. */
export function keepPool(pool: Pool, reason: PruneReason): PoolResult {
  return { pool, indices: all(pool.tokens), reason };
}

/** Whether a budget asks for all tokens of its pool. */
export function asksForAll({ budget, tokens }: Pool): boolean {
  return !('coverage' in budget) && resolveBudget(budget, tokens).max >= tokens;
}

/** Selects within one pool. */
export async function selectPool(pool: Pool, material: SelectionMaterial): Promise<PoolResult> {
  const { options, coverage, vision, texts, entry } = material;
  const text = texts[pool.row];
  const inputs = termInputs(pool, material);
  // By the pool's own moments: what else is in the batch must not matter.
  const { features, repaired } = repair(slice(vision.features, pool), options.standardise);
  const image = {
    backend: options.backend,
    vision: slice(vision.projected, pool),
    visionFeatures: features,
    coverage,
    ...(inputs && { inputs }),
    ...(options.maxMatrixBytes !== undefined && { maxMatrixBytes: options.maxMatrixBytes }),
  };
  const request = {
    budget: pool.budget,
    constraints: constraintsOf(pool, material),
    ...(text && { text }),
    ...(options.maximizer && { maximizer: options.maximizer }),
  };
  const isKept = entry.isKept && options.inputs === undefined;
  const key = `${pool.start}+${pool.tokens} ${vision.source} ${options.featureOutput} ${options.standardise}`;
  const selection = isKept
    ? await entry.prepare(key, image).select(request)
    : await selectTokens({ ...image, ...request });
  return {
    pool,
    indices: selection.indices,
    reason: selection.reason,
    selection,
    standardised: repaired,
  };
}

/** What terms of the caller's own read; the encoder's saliency where a term asks for one and the caller gave none. */
function termInputs(
  { start, tokens }: Pool,
  { options: { inputs }, coverage, vision: { saliency } }: SelectionMaterial,
): Readonly<Record<string, MatrixInput>> | undefined {
  const isRead = coverage.some((term) => term.kind === 'bonus' && term.input === SALIENCY_INPUT);
  if (saliency === undefined || !isRead || inputs?.[SALIENCY_INPUT] !== undefined) return inputs;
  return { ...inputs, [SALIENCY_INPUT]: float32(saliency.subarray(start, start + tokens), [tokens, 1]) };
}

function slice({ data, dims }: Float32Tensor, { start, tokens }: Stretch): Float32Tensor {
  const width = dims[1] as number;
  return float32(data.subarray(start * width, (start + tokens) * width), [tokens, width]);
}

/** Exclusions, and a floor per part as far as the part has tokens to give. */
function constraintsOf(pool: Pool, { options, excluded }: SelectionMaterial): Constraints {
  const exclude = all(pool.tokens).filter((token) => excluded.has(pool.start + token));
  const groups = pool.parts.map((part): CandidateGroup => {
    const members = all(part.tokens).map((token) => part.start + token);
    const selectable = members.filter((token) => !excluded.has(pool.start + token)).length;
    return { members, min: Math.min(options.floor, selectable) };
  });
  return {
    ...(exclude.length > 0 && { exclude }),
    ...(options.floor > 0 && groups.length > 0 && { groups }),
  };
}

/** The results of all pools as reports of images. */
export function imageReports(
  images: readonly PlacedImage[],
  results: readonly PoolResult[],
  { saliency }: Pick<VisionRows, 'saliency'>,
): ImageReport[] {
  const kept = results.flatMap(({ pool, indices }) => indices.map((index) => pool.start + index));
  return images.map((image) => {
    const start = image.units[0]?.start ?? 0;
    const within = (from: number, count: number): number[] =>
      kept.filter((index) => index >= from && index < from + count).map((index) => index - from);
    const own = results.filter(
      ({ pool }) => pool.start < start + image.tokens && start < pool.start + pool.tokens,
    );
    const indices = within(start, image.tokens);
    return {
      row: image.row,
      image: image.image,
      reason: (own.find((one) => one.selection !== undefined) ?? own[0])?.reason ?? 'belowBudget',
      tokensBefore: image.tokens,
      tokensAfter: indices.length,
      indices,
      tiles: image.units.map((unit) => ({
        tokensBefore: unit.tokens,
        indices: within(unit.start, unit.tokens),
        ...(unit.grid && { grid: unit.grid }),
      })),
      ...(saliency && { saliency: saliency.subarray(start, start + image.tokens) }),
      selections: own.flatMap(({ selection }) => (selection === undefined ? [] : [selection])),
    };
  });
}
