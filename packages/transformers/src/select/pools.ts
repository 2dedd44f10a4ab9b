// Groups the vision tokens of a batch into pools of tokens that share a budget, and assigns each pool its budget.

import { type Budget, InvalidBudgetError, InvalidOptionsError } from '@mmtok/core';
import { resolveBudget, sum } from '@mmtok/core/internal';
import type { PlacedImage, PlacedTile } from '../prompt/images.js';
import type { Prompt } from '../prompt/prompt.js';
import type { ImagePart } from '../report.js';

/**
 * Keeps as many vision tokens as fit into a context of a given size. If several images have budgets, this one gets what the
 * others leave; several budgets of this kind split the remainder in proportion to their images.
 */
export interface FitContext {
  /** Total number of tokens for text, kept vision tokens, and the cache. */
  readonly fitContext: number;
  /** Tokens to reserve within this limit, e.g. for the answer. @default 0 */
  readonly reserve?: number;
  /** Keep at least this many tokens of each image, even if they do not fit. */
  readonly min?: number;
  /** Keep at most this many tokens of each image. */
  readonly max?: number;
}

/** How many vision tokens to keep: a budget of @mmtok/core, or as many as fit into the context. */
export type PromptBudget = Budget | FitContext;

/**
 * Which tokens share a budget. `'perImage'`: each image has its own budget, shared by its tiles. `'perTile'`: each tile has its
 * own budget. `'shared'`: all images of a prompt share one budget, so images with little detail leave more tokens to the others.
 */
export type Allocation = 'perImage' | 'perTile' | 'shared';

/**
 * How many tiles of an image to encode, including its overview: all, a maximum number, a share (rounded to the nearest
 * integer, but at least the overview), or as many as the question needs.
 */
export type TileBudget =
  | 'all'
  | (({ readonly max: number } | { readonly share: number }) & TileOrder)
  | UsefulTiles;

/**
 * Encodes the overview and the tiles worth at least a share of the most useful tile, as `rankTiles` of @mmtok/core measures
 * worth: few tiles for a question about one detail, many for a question about the whole image.
 */
export interface UsefulTiles {
  /** The least worth of a tile relative to the most useful tile, in (0, 1]. Lower values encode more tiles. */
  readonly worth: number;
  /** Encode at least this many tiles, including the overview. @default 1 */
  readonly min?: number | undefined;
  /** Encode at most this many tiles, including the overview. @default all */
  readonly max?: number | undefined;
}

/** Which tiles of an image to encode first. */
export interface TileOrder {
  /**
   * Ranks the tiles of an image, the most important first. @default `rankTiles` of @mmtok/core: ranks by how much detail the
   * overview lost in the regions that are relevant to the question
   */
  readonly by?: RankTiles | undefined;
}

/**
 * Ranks the tiles of an image by what is known before they are encoded. Returns tile indices in row-major numbering, each at most
 * once; omitted tiles are not encoded.
 * @example
 * const byDetail: RankTiles = (facts) => rankTiles({ ...facts, focus: 0 }).order;
 * const byRelevance: RankTiles = (facts) => rankTiles({ ...facts, detail: facts.detail.map(() => 1) }).order;
 */
export type RankTiles = (facts: TileFacts) => readonly number[];

/** The input of {@link RankTiles}: the tile grid, the overview's token grid, and values for each overview token. */
export interface TileFacts {
  readonly grid: readonly [rows: number, columns: number];
  readonly overview: readonly [rows: number, columns: number];
  /** The detail that the overview lost at each of its tokens: a root mean square of pixel values. */
  readonly detail: readonly number[];
  /**
   * The relevance of each token to the question, from 0 to 1; 0 for all if no word of the question stands out anywhere. Absent if
   * there is no question.
   */
  readonly relevance?: readonly number[];
}

/** Vision tokens that share a budget, before the budget is resolved. */
export interface BudgetedPool {
  readonly visionTokens: number;
  readonly budget: PromptBudget;
}

/** The tokens of a prompt other than its new vision tokens, excluding padding. */
export interface OtherTokens {
  readonly text: number;
  readonly cached: number;
}

/** Whether a budget depends on the other tokens in the prompt. */
export function isFit(budget: PromptBudget): budget is FitContext {
  return 'fitContext' in budget;
}

/** A tile within a pool. */
export interface PoolTile {
  /** Its vision tokens: `start … start + visionTokens`, as indices in the pool. */
  readonly start: number;
  readonly visionTokens: number;
  /** `[rows, columns]` of its tokens, if they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
  /** Index of its image within the prompt. */
  readonly image: number;
  /** Which part of its image it shows, if the prompt says so. */
  readonly imagePart?: ImagePart;
}

/** Vision tokens that compete for one budget. */
export interface Pool {
  readonly batchIndex: number;
  /** Their rows in the encoder's output, ascending, excluding masked tokens and tokens that were not encoded. */
  readonly rows: readonly number[];
  /** The pool's vision tokens that were not encoded. */
  readonly unencoded: number;
  readonly budget: Budget;
  readonly tiles: readonly PoolTile[];
  /** Parts that each have a minimum, as indices into `rows`: the tiles of an image, or the images that share a budget. */
  readonly parts: readonly (readonly number[])[];
}

/**
 * Builds the pools of all prompts.
 * @param masked rows of the encoder's output that the attention mask masks out.
 * @param skipped rows of tiles that were not encoded.
 * @throws InvalidOptionsError if an array of budgets does not have one entry per image.
 * @throws InvalidBudgetError if a context leaves no room for vision tokens.
 */
export function poolsOf(
  images: readonly PlacedImage[],
  masked: ReadonlySet<number>,
  skipped: ReadonlySet<number>,
  {
    allocation,
    budgets,
  }: { readonly allocation: Allocation; readonly budgets: PromptBudget | readonly PromptBudget[] },
  { textTokens, cachedTokens }: Pick<Prompt, 'textTokens' | 'cachedTokens'>,
): Pool[] {
  if (Array.isArray(budgets) && budgets.length !== images.length) {
    throw new InvalidOptionsError('options mmtok of generate', [
      `budget: expected one per image (${images.length}), got ${budgets.length}`,
    ]);
  }
  return textTokens.flatMap((text, batchIndex) => {
    const own = images.filter((image) => image.batchIndex === batchIndex);
    const groups = grouped(own, allocation).map(({ tiles, parts, image }) => ({
      ...poolOf(tiles, parts, masked, skipped),
      batchIndex,
      budget: (Array.isArray(budgets) ? budgets[images.indexOf(image)] : budgets) as PromptBudget,
    }));
    const shown = groups.filter(({ rows }) => rows.length > 0);
    const resolved = poolBudgets(
      shown.map(({ rows, unencoded, budget }) => ({
        visionTokens: rows.length,
        budget: unencoded === 0 ? budget : ofAll(budget, rows.length + unencoded),
      })),
      { text, cached: cachedTokens[batchIndex] as number },
    );
    return groups.map((pool): Pool => ({ ...pool, budget: resolved[shown.indexOf(pool)] ?? { tokens: 1 } }));
  });
}

/** A ratio applies to the tokens of all tiles, including tiles that were not encoded. */
function ofAll(budget: PromptBudget, visionTokens: number): PromptBudget {
  return 'ratio' in budget ? { tokens: resolveBudget(budget, visionTokens).max } : budget;
}

interface TileOfImage extends PlacedTile {
  readonly image: PlacedImage;
}

interface Group {
  readonly image: PlacedImage;
  readonly tiles: readonly TileOfImage[];
  readonly parts: readonly { readonly start: number; readonly visionTokens: number }[];
}

/** Groups the tiles that share a budget. */
function grouped(images: readonly PlacedImage[], allocation: Allocation): Group[] {
  const tilesOf = (image: PlacedImage): TileOfImage[] => image.tiles.map((tile) => ({ ...tile, image }));
  if (allocation === 'perTile') {
    return images.flatMap((image) => tilesOf(image).map((tile) => ({ image, tiles: [tile], parts: [] })));
  }
  if (allocation === 'perImage') {
    return images.map((image) => ({
      image,
      tiles: tilesOf(image),
      parts: image.tiles.length > 1 ? image.tiles : [],
    }));
  }
  const [image] = images;
  return image === undefined ? [] : [{ image, tiles: images.flatMap(tilesOf), parts: images }];
}

function poolOf(
  tiles: readonly TileOfImage[],
  parts: Group['parts'],
  masked: ReadonlySet<number>,
  skipped: ReadonlySet<number>,
): Pick<Pool, 'rows' | 'unencoded' | 'tiles' | 'parts'> {
  const rows: number[] = [];
  let unencoded = 0;
  const placed = tiles.map(({ start, visionTokens, grid, image, imagePart }): PoolTile => {
    const first = rows.length;
    for (let row = start; row < start + visionTokens; row++) {
      if (masked.has(row)) continue;
      if (skipped.has(row)) unencoded++;
      else rows.push(row);
    }
    const shown = rows.length - first;
    const isWhole = shown === visionTokens;
    return {
      start: first,
      visionTokens: shown,
      image: image.image,
      ...(grid && isWhole && { grid }),
      ...(imagePart && { imagePart }),
    };
  });
  const members = parts.map(({ start, visionTokens }) =>
    rows.flatMap((row, index) => (row >= start && row < start + visionTokens ? [index] : [])),
  );
  return { rows, unencoded, tiles: placed, parts: members };
}

/**
 * Resolves one @mmtok/core budget per pool of a prompt.
 * @throws InvalidBudgetError if a context leaves less than one token per pool.
 */
export function poolBudgets(pools: readonly BudgetedPool[], { text, cached }: OtherTokens): Budget[] {
  const others = sum(
    pools.map(({ budget, visionTokens }) =>
      isFit(budget) ? 0 : Math.min(visionTokens, resolveBudget(budget, visionTokens).max),
    ),
  );
  const fitting = pools.filter(({ budget }) => isFit(budget));
  const rooms = fitting.map(({ budget }) => {
    const { fitContext, reserve = 0 } = budget as FitContext;
    const room = fitContext - reserve - text - cached - others;
    if (room >= fitting.length) return room;
    const taken = [
      `the text takes ${text}`,
      ...(cached === 0 ? [] : [`the cache ${cached}`]),
      ...(others === 0 ? [] : [`the other images ${others}`]),
      ...(reserve === 0 ? [] : [`${reserve} are reserved`]),
    ].join(', ');
    throw new InvalidBudgetError(
      `fitContext ${fitContext} leaves ${room} tokens for ${fitting.length} images: ${taken}`,
    );
  });
  // The prompt must fit every given context, so the smallest one applies.
  const dealt = shares(
    fitting.map(({ visionTokens, budget }) =>
      Math.min(visionTokens, (budget as FitContext).max ?? visionTokens),
    ),
    Math.min(...rooms),
  );
  return pools.map(({ budget }) => {
    if (!isFit(budget)) return budget;
    const { min, max } = budget;
    const tokens = dealt.shift() as number;
    return { tokens, ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  });
}

/** Splits `room` among pools in proportion to their size. Every pool gets at least 1, and the sum does not exceed `room`. */
function shares(pools: readonly number[], room: number): number[] {
  const total = sum(pools);
  const dealt = pools.map((pool) => Math.max(1, Math.min(pool, Math.floor((room * pool) / total))));
  let over = sum(dealt) - room;
  while (over > 0) {
    const largest = dealt.indexOf(Math.max(...dealt));
    dealt[largest] = (dealt[largest] as number) - 1;
    over--;
  }
  return dealt;
}
