// Selects vision tokens pool by pool, by coverage or with the caller's function.

import {
  type Backend,
  type CandidateGroup,
  type Constraints,
  type Float32Tensor,
  type MatrixInput,
  type Maximizer,
  type ObjectiveTerm,
  type PreparedImage,
  type PrepareOptions,
  prepareImage,
  type Selection,
  selectTokens,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { resolveBudget } from '@mmtok/core/internal';
import { matrixRows, matrixSlice } from '../internal/tensors.js';
import type { PlacedImage } from '../prompt/images.js';
import type { ImageReport, PruneReason, Question } from '../report.js';
import { checkChosen, type Select } from './by-function.js';
import type { VisionRows } from './features.js';
import type { Pool } from './pools.js';
import { repair, type Standardize } from './standardize.js';

/** The options that determine which tokens are kept. */
export interface SelectSettings {
  readonly coverage?: readonly ObjectiveTerm[] | undefined;
  readonly focus?: number | 'auto' | undefined;
  readonly select?: Select | undefined;
  readonly inputs?: Readonly<Record<string, MatrixInput>> | undefined;
  readonly minTokens: number;
  readonly minVisionTokens: number;
  readonly standardize: Standardize;
  readonly featureOutput?: string | undefined;
  readonly maximizer?: 'lazy' | 'naive' | 'device' | Maximizer | undefined;
  readonly maxMatrixBytes?: number | undefined;
}

/** Prepared images from earlier selections on the same encoder output, so that a new question costs less. */
export class PreparedImages {
  private readonly prepared = new Map<string, { image: PreparedImage; coverage: readonly ObjectiveTerm[] }>();

  /** The prepared image for a key. It is created on first use, or again if different terms are requested. */
  get(key: string, options: PrepareOptions & { readonly coverage: readonly ObjectiveTerm[] }): PreparedImage {
    const known = this.prepared.get(key);
    if (known !== undefined && known.coverage === options.coverage) return known.image;
    // A concurrent call may still use the old entry, so disposal is left to the garbage collector.
    const image = prepareImage(options);
    this.prepared.set(key, { image, coverage: options.coverage });
    return image;
  }
}

/** The kept tokens of a pool. */
export interface PoolResult {
  readonly pool: Pool;
  /** Kept rows of the encoder's output, ascending. */
  readonly rows: readonly number[];
  /** The same rows in the order in which they were selected. Absent if no selection ran. */
  readonly order?: readonly number[];
  readonly reason: PruneReason;
  readonly selection?: Selection;
}

/** A pool that is kept in full, for the given reason. */
export function keepPool(pool: Pool, reason: PruneReason): PoolResult {
  return { pool, rows: pool.rows, reason };
}

/**
 * The result of a pool that needs no selection; `undefined` if it needs one.
 * @param visionTokens number of vision tokens in the pool's prompt.
 */
export function keptWhole(
  pool: Pool,
  { minVisionTokens }: SelectSettings,
  visionTokens: number,
  excluded: ReadonlySet<number>,
): PoolResult | undefined {
  if (pool.rows.length === 0) return keepPool(pool, pool.unencoded > 0 ? 'pruned' : 'masked');
  if (visionTokens < minVisionTokens) return keepPool(pool, 'belowMinVisionTokens');
  const { max, target } = resolveBudget(pool.budget, pool.rows.length);
  const isWhole = target === undefined && max >= pool.rows.length;
  if (!isWhole || pool.rows.some((row) => excluded.has(row))) return undefined;
  return keepPool(pool, pool.unencoded > 0 ? 'pruned' : 'belowBudget');
}

/** The inputs of a selection other than its pools. */
export interface SelectContext {
  readonly settings: SelectSettings;
  readonly backend: Backend;
  readonly textTemperature: number;
  readonly vision: VisionRows;
  /** One per prompt. */
  readonly questions: readonly Question[];
  /** `[m, D]` for each prompt; absent if there is no text. */
  readonly texts: readonly (Float32Tensor | undefined)[];
  /** Rows that must never be kept. */
  readonly excluded: ReadonlySet<number>;
  /** Present if the encoder's output outlives the call. */
  readonly prepared: PreparedImages | undefined;
}

/** The result of a selection. */
export interface SelectOutcome {
  readonly results: readonly PoolResult[];
  readonly standardized: boolean;
  readonly notes: readonly string[];
}

/** Selects tokens in every pool that is not in `whole`. */
export async function selectPools(
  pools: readonly Pool[],
  whole: readonly (PoolResult | undefined)[],
  context: SelectContext,
): Promise<SelectOutcome> {
  const { settings, vision } = context;
  const notes = new Set<string>();
  const results: PoolResult[] = [];
  let standardized = false;
  for (const [at, pool] of pools.entries()) {
    const kept = whole[at];
    if (kept !== undefined) {
      results.push(kept);
      continue;
    }
    // Uses the statistics of the pool only: the rest of the batch must not affect the result.
    const { features, repaired } = repair(rowsOf(vision.features, pool), settings.standardize);
    standardized ||= repaired;
    const choose = settings.select;
    const result =
      choose === undefined
        ? await selectByCoverage(pool, features, context)
        : await selectByFunction(choose, pool, features, context);
    for (const note of result.selection?.notes ?? []) notes.add(note);
    results.push(result);
  }
  const isWeighted = context.questions.some((question) => question.weights !== undefined);
  const terms = settings.coverage ?? defaultCoverage(context.textTemperature, settings.focus);
  if (isWeighted && settings.select === undefined && !terms.some(takesWeights)) {
    notes.add(
      "the question's token weights have no effect: no coverage term has text tokens as targets and no weights of its own",
    );
  }
  if (standardized) notes.add('the vision features were standardized per dimension');
  return { results, standardized, notes: [...notes] };
}

async function selectByCoverage(
  pool: Pool,
  features: Float32Tensor,
  context: SelectContext,
): Promise<PoolResult> {
  const { settings, backend, vision, texts, questions, prepared } = context;
  const text = texts[pool.batchIndex];
  const terms = settings.coverage ?? defaultCoverage(context.textTemperature, settings.focus);
  const coverage = weighted(terms, questions[pool.batchIndex]?.weights);
  const inputs = termInputs(pool, coverage, context);
  const image = {
    backend,
    vision: rowsOf(vision.projected, pool),
    visionFeatures: features,
    coverage,
    ...(inputs && { inputs }),
    ...(settings.maxMatrixBytes !== undefined && { maxMatrixBytes: settings.maxMatrixBytes }),
  };
  const request = {
    budget: pool.budget,
    constraints: constraintsOf(pool, context),
    ...(text && { text }),
    ...(settings.maximizer && { maximizer: settings.maximizer }),
  };
  const key = [
    pool.rows[0],
    pool.rows.length,
    vision.source,
    settings.featureOutput,
    settings.standardize,
  ].join(' ');
  const selection =
    prepared !== undefined && settings.inputs === undefined && isContiguous(pool)
      ? await prepared.get(key, image).select(request)
      : await selectTokens({ ...image, ...request });
  const rowOf = (index: number): number => pool.rows[index] as number;
  return {
    pool,
    rows: selection.indices.map(rowOf),
    order: selection.order.map(rowOf),
    reason: selection.reason,
    selection,
  };
}

async function selectByFunction(
  choose: Select,
  pool: Pool,
  features: Float32Tensor,
  { vision, texts, questions, excluded }: SelectContext,
): Promise<PoolResult> {
  const count = pool.rows.length;
  const barred = pool.rows.flatMap((row, index) => (excluded.has(row) ? [index] : []));
  const tokens = resolveBudget(pool.budget, count).max;
  if (tokens >= count - barred.length) {
    return { pool, rows: pool.rows.filter((row) => !excluded.has(row)), reason: 'allSelectable' };
  }
  const text = texts[pool.batchIndex];
  const question = questions[pool.batchIndex];
  const grid = pool.tiles.length === 1 ? pool.tiles[0]?.grid : undefined;
  // Copies: the function may change them, or transfer them to a worker.
  const chosen = await choose(
    {
      vision: copied(rowsOf(vision.projected, pool)),
      ...(vision.source !== 'projected' && { visionFeatures: copied(features) }),
      ...(vision.saliency && {
        saliency: Float32Array.from(pool.rows, (row) => vision.saliency?.[row] as number),
      }),
      ...(text && { text: copied(text) }),
      ...(question?.weights && { textWeights: Float32Array.from(question.weights) }),
      tiles: pool.tiles,
      ...(grid && { grid }),
    },
    { tokens, excluded: barred, question: question?.text ?? '', batchIndex: pool.batchIndex },
  );
  const order = checkChosen(chosen, tokens, count, new Set(barred)).map(
    (index) => pool.rows[index] as number,
  );
  return { pool, rows: order.toSorted((a, b) => a - b), order, reason: 'pruned' };
}

const defaults = new Map<string, readonly ObjectiveTerm[]>();

/**
 * The paper's objective at a family's temperature, or vision coverage with a focus. Returns one object per value, so that
 * prepared images are found again.
 */
function defaultCoverage(temperature: number, focus: number | 'auto' | undefined): readonly ObjectiveTerm[] {
  const key = focus === undefined ? `paper ${temperature}` : `focus ${focus}`;
  const known =
    defaults.get(key) ??
    (focus === undefined ? [textCoverage({ temperature }), visionCoverage()] : [visionCoverage({ focus })]);
  defaults.set(key, known);
  return known;
}

/** Whether a term has one target per text token, as `textCoverage()` does, and no token weights of its own. */
function takesWeights(term: ObjectiveTerm): boolean {
  return (
    term.kind === 'coverage' &&
    'text' in term.inputs &&
    term.targets === 'm' &&
    term.targetWeights === undefined
  );
}

/** Adds the weights of the question's tokens to the terms that accept them. Returns the same terms if there are no weights. */
function weighted(
  terms: readonly ObjectiveTerm[],
  targetWeights: readonly number[] | undefined,
): readonly ObjectiveTerm[] {
  if (targetWeights === undefined) return terms;
  return terms.map((term) => (takesWeights(term) ? { ...term, targetWeights } : term));
}

/** The input of `saliency()`, a term of @mmtok/core. */
const SALIENCY_INPUT = 'saliency';

/** The inputs of custom terms, plus the encoder's saliency if a term asks for it and the caller did not provide one. */
function termInputs(
  pool: Pool,
  coverage: readonly ObjectiveTerm[],
  { settings: { inputs }, vision: { saliency } }: SelectContext,
): Readonly<Record<string, MatrixInput>> | undefined {
  const isRead = coverage.some((term) => term.kind === 'bonus' && term.input === SALIENCY_INPUT);
  if (saliency === undefined || !isRead || inputs?.[SALIENCY_INPUT] !== undefined) return inputs;
  return { ...inputs, [SALIENCY_INPUT]: rowsOf(float32(saliency, [saliency.length, 1]), pool) };
}

function copied({ data, dims }: Float32Tensor): Float32Tensor {
  return float32(data.slice(), dims);
}

function isContiguous({ rows }: Pool): boolean {
  return (rows.at(-1) as number) - (rows[0] as number) === rows.length - 1;
}

function rowsOf(matrix: Float32Tensor, pool: Pool): Float32Tensor {
  return isContiguous(pool)
    ? matrixSlice(matrix, pool.rows[0] as number, pool.rows.length)
    : matrixRows(matrix, pool.rows);
}

/** Exclusions, and a minimum per part, limited to the tokens that the part has available. */
function constraintsOf(pool: Pool, { settings, excluded }: SelectContext): Constraints {
  const isFree = (index: number): boolean => !excluded.has(pool.rows[index] as number);
  const exclude = pool.rows.flatMap((_, index) => (isFree(index) ? [] : [index]));
  const groups = pool.parts.map(
    (members): CandidateGroup => ({
      members,
      min: Math.min(settings.minTokens, members.filter(isFree).length),
    }),
  );
  return {
    ...(exclude.length > 0 && { exclude }),
    ...(settings.minTokens > 0 && groups.length > 0 && { groups }),
  };
}

/** Whether `kept` contains all vision tokens of an image and the model therefore reads different rows. */
function isReadUnpruned({ unpruned, start, visionTokens }: PlacedImage, kept: ReadonlySet<number>): boolean {
  if (unpruned === undefined) return false;
  for (let row = start; row < start + visionTokens; row++) if (!kept.has(row)) return false;
  return true;
}

/** The rows of the encoder's output that the language model reads. */
export function keptRows(images: readonly PlacedImage[], results: readonly PoolResult[]): Set<number> {
  const kept = new Set(results.flatMap(({ rows }) => rows));
  for (const image of images) {
    if (!isReadUnpruned(image, kept)) continue;
    for (let row = image.start; row < image.start + image.visionTokens; row++) kept.delete(row);
    for (const row of image.unpruned ?? []) kept.add(row);
  }
  return kept;
}

/** What is known about the tiles of a batch. */
export interface TileOutcome {
  /** Rows of tiles that were not encoded. */
  readonly skipped: ReadonlySet<number>;
  /** The worth of each tile of an image, by the first row of the image. */
  readonly tileWorth: ReadonlyMap<number, readonly number[]>;
}

/** Converts the results of all pools to image reports. */
export function imageReports(
  images: readonly PlacedImage[],
  results: readonly PoolResult[],
  saliency: Float32Array | undefined,
  { skipped, tileWorth }: TileOutcome,
): ImageReport[] {
  const kept = results.flatMap(({ rows }) => rows).sort((a, b) => a - b);
  const all = new Set(kept);
  return images.map((placed) => {
    const { start, visionTokens, tiles, batchIndex, image, unpruned } = placed;
    const within = (rows: readonly number[], from: number, count: number): number[] =>
      rows.filter((row) => row >= from && row < from + count).map((row) => row - from);
    const end = start + visionTokens;
    const worth = tileWorth.get(start);
    const own = results.filter(
      ({ pool }) => pool.batchIndex === batchIndex && pool.tiles.some((tile) => tile.image === image),
    );
    const ran = own.some((result) => result.order !== undefined);
    const order = ran ? own.flatMap((result) => result.order ?? result.rows) : [];
    const indices = within(kept, start, visionTokens);
    return {
      batchIndex,
      image,
      reason: (own.find((one) => one.order !== undefined) ?? own[0])?.reason ?? 'belowBudget',
      visionTokens,
      keptTokens: indices.length,
      indices,
      ...(order.length > 0 && { order: within(order, start, visionTokens) }),
      tiles: tiles.map((tile) => {
        const missing = within([...skipped], tile.start, tile.visionTokens);
        const isPart = missing.length > 0 && missing.length < tile.visionTokens;
        return {
          visionTokens: tile.visionTokens,
          indices: within(kept, tile.start, tile.visionTokens),
          ...(tile.grid && { grid: tile.grid }),
          ...(tile.imagePart && { imagePart: tile.imagePart }),
          ...(missing.length === tile.visionTokens && { skipped: true as const }),
          ...(isPart && { unencoded: missing }),
        };
      }),
      ...(worth && { tileWorth: worth }),
      ...(unpruned !== undefined && isReadUnpruned(placed, all) && { promptTokens: unpruned.length }),
      // A copy, so that the report neither keeps the encoder's whole output alive nor shares its memory.
      ...(saliency && { saliency: saliency.slice(start, end) }),
      selections: own.flatMap(({ selection }) => (selection === undefined ? [] : [selection])),
    };
  });
}
