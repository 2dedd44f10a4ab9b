// Encodes only the most useful tiles of an image: first the overview, then the tiles with detail that the overview
// lost in the regions the question is about.

import {
  type Backend,
  cosineSimilarity,
  type Float32Tensor,
  InvalidOptionsError,
  type RankedTiles,
  rankTiles,
} from '@mmtok/core';
import { defineProgram } from '@mmtok/core/backend';
import { countUsefulTiles, lostDetail, sum, tileRelevance } from '@mmtok/core/internal';
import type { EncodedVision } from '../adapters/adapter.js';
import type { PrunedModel } from '../families/family.js';
import type { InputTile, PromptTile, TiledInputs, TilePart } from '../families/tiling.js';
import { makeTensor, matrixRows, toFloat32Matrix } from '../internal/tensors.js';
import type { ModelInputs, TensorData, TensorLike } from '../internal/types.js';
import { readable, shown } from '../internal/values.js';
import { placeImages, runsOf } from '../prompt/images.js';
import { countPlaceholders, type Prompt } from '../prompt/prompt.js';
import { embedQuestion, findQuestions, type QuestionSettings } from '../question/question.js';
import type { Question } from '../report.js';
import type { TileBudget, TileFacts, UsefulTiles } from '../select/pools.js';
import type { TileWorth } from './encode.js';

/** Which tiles of a batch are encoded. */
export interface EncodedTiles {
  /** Tokens of tiles that were not encoded are zeros. */
  readonly encoded: EncodedVision;
  /** Rows of those tokens. */
  readonly skipped: ReadonlySet<number>;
  readonly tileWorth: TileWorth;
  /** Milliseconds spent on ranking. */
  readonly rankMs: number;
}

/** What ranking needs in addition to the inputs. */
export interface TileSettings extends QuestionSettings {
  readonly tiles: TileBudget;
  /** Prompts with fewer vision tokens are not pruned. */
  readonly minVisionTokens: number;
}

/** An image whose tiles are selected. Tiles are numbered in the encoder's order. */
interface TiledImage {
  readonly batchIndex: number;
  /** Its first row in the encoder's output. */
  readonly start: number;
  readonly overview: number;
  readonly grid: readonly [rows: number, columns: number];
  /** In row-major order. */
  readonly tiles: readonly number[];
  /** Those that the encoder reads. */
  readonly usable: ReadonlySet<number>;
}

/**
 * Encodes the overview of each image, then its most useful tiles.
 * @param encode runs the encoder on inputs with a subset of the tiles.
 * @returns `undefined` if there is nothing to select: the family does not tile, no image of a prompt to prune is tiled, the
 * budget covers all tiles, or the inputs do not identify the tiles.
 */
export async function encodeUsefulTiles(
  pruned: PrunedModel,
  settings: TileSettings,
  inputs: ModelInputs,
  prompt: Prompt,
  backend: () => Promise<Backend>,
  encode: (inputs: ModelInputs) => Promise<EncodedVision>,
): Promise<EncodedTiles | undefined> {
  const budget = settings.tiles;
  if (budget === 'all') return undefined;
  const read = readTiles(pruned, inputs, prompt);
  if (read === undefined) return undefined;
  const { tiled } = read;
  const images = read.images.filter(
    ({ batchIndex }) => (prompt.visionTokens[batchIndex] as number) >= settings.minVisionTokens,
  );
  if (images.length === 0) return undefined;
  if (images.every(({ usable }) => coversAll(budget, usable.size))) return undefined;

  const cut = new Set(images.flatMap(({ tiles }) => tiles));
  const first = tiled.tiles.flatMap((_, tile) => (cut.has(tile) ? [] : [tile]));
  const parts: EncodedPart[] = [];
  const run = async (tiles: readonly number[]): Promise<void> => {
    const part = tiled.part(tiles);
    parts.push({ part, encoded: await encode(part.inputs) });
  };
  await run(first);
  const started = performance.now();
  const added: number[] = [];
  const tileWorth = new Map<number, readonly number[]>();
  const questions = findQuestions(pruned, settings, prompt);
  const texts = new Map<number, Promise<Float32Tensor | undefined>>();
  const textOf = (batchIndex: number): Promise<Float32Tensor | undefined> => {
    const known = texts.get(batchIndex);
    if (known !== undefined) return known;
    const text = embedQuestion(pruned, prompt, questions[batchIndex] as Question);
    texts.set(batchIndex, text);
    return text;
  };
  for (const image of images) {
    const vision = rowsOfTile(tiled, image.overview, parts[0] as EncodedPart);
    const facts = await factsOf(tiled, image, { vision, text: await textOf(image.batchIndex) }, backend);
    const { order, worth } = ranked(facts, budget);
    const usable = order.filter((tile) => image.usable.has(image.tiles[tile] as number));
    const count = tilesToAdd(budget, { order: usable, worth }, image.usable.size);
    added.push(...usable.slice(0, count).map((tile) => image.tiles[tile] as number));
    const best = Math.max(...worth);
    if (best > 0)
      tileWorth.set(
        image.start,
        worth.map((one) => one / best),
      );
  }
  added.sort((a, b) => a - b);
  const rankMs = performance.now() - started;
  if (added.length > 0) await run(added);
  return { ...assembled(parts, tiled), tileWorth, rankMs };
}

/** The encoder's inputs, and the images in them that have a complete grid of tiles and an overview. */
function readTiles(
  { family, model, processor }: PrunedModel,
  inputs: ModelInputs,
  prompt: Prompt,
): { readonly tiled: TiledInputs; readonly images: readonly TiledImage[] } | undefined {
  if (family.tiling === undefined) return undefined;
  const { placeholders } = prompt;
  const rows = countPlaceholders(prompt);
  const tokenId = (token: string): number | undefined => processor.tokenizer.convert_tokens_to_ids(token);
  const stated = family.tiles({
    config: model.config,
    inputs,
    features: { ...prompt.tensor, dims: [rows, 1] } as TensorLike,
    runs: placeholders.flatMap(runsOf),
  });
  if (sum(stated.map(({ visionTokens }) => visionTokens)) !== rows) return undefined;
  const placed = placeImages(prompt, stated, rows, family, tokenId);
  const tiles = placed.flatMap((image, at): PromptTile[] =>
    image.tiles.map(({ visionTokens, grid, imagePart }) => ({
      image: at,
      visionTokens,
      ...(grid && { grid }),
      ...(imagePart && { imagePart }),
    })),
  );
  const tiled = family.tiling(inputs, tiles);
  if (tiled === undefined) return undefined;
  const images = placed.flatMap(({ batchIndex, start }, image): TiledImage[] => {
    const own = tiled.tiles.flatMap((one, tile) => (one.image === image ? [{ tile, at: one.at }] : []));
    const overview = own.find(({ at }) => at === 'overview')?.tile;
    const cut = own.flatMap(({ tile, at }) => (typeof at === 'object' ? [{ tile, at }] : []));
    const height = Math.max(...cut.map(({ at }) => at[0])) + 1;
    const width = Math.max(...cut.map(({ at }) => at[1])) + 1;
    const isGrid = cut.every(({ at }, index) => at[0] * width + at[1] === index);
    const isWhole = isGrid && cut.length === height * width && cut.length + 1 === own.length;
    if (overview === undefined || cut.length === 0 || !isWhole) return [];
    const numbers = cut.map(({ tile }) => tile);
    const usable = new Set(numbers.filter((tile) => (tiled.tiles[tile] as InputTile).units.length > 0));
    return [{ batchIndex, start, overview, grid: [height, width], tiles: numbers, usable }];
  });
  return { tiled, images };
}

/** The vision tokens `[n, D]` of a tile in an encoded part. */
function rowsOfTile(tiled: TiledInputs, tile: number, { part, encoded }: EncodedPart): Float32Tensor {
  const from = new Map(part.to.map((unit, at) => [unit, part.from[at] as number]));
  const { rowsPerUnit } = tiled;
  const rows = (tiled.tiles[tile] as InputTile).units.flatMap((unit) =>
    Array.from({ length: rowsPerUnit }, (_, row) => (from.get(unit) as number) * rowsPerUnit + row),
  );
  return matrixRows(toFloat32Matrix(encoded.projected), rows);
}

const cosineProgram = defineProgram({
  name: 'tile-cosines',
  inputs: { vision: { dims: ['n', 'D'] }, text: { dims: ['m', 'D'] } },
  outputs: { cosines: { dims: ['n', 'm'] } },
  build: (ops, { vision, text }) => ({ cosines: cosineSimilarity(ops, vision, text) }),
});

/** What the encoded overview of an image shows. */
interface Overview {
  /** `[n, D]` */
  readonly vision: Float32Tensor;
  /** `[m, D]`: the question; absent without text. */
  readonly text: Float32Tensor | undefined;
}

/** What is known about the tiles of an image before they are encoded. */
async function factsOf(
  tiled: TiledInputs,
  image: TiledImage,
  { vision, text }: Overview,
  backend: () => Promise<Backend>,
): Promise<TileFacts> {
  const relevance = text === undefined ? undefined : await relevanceOf({ vision, text }, await backend());
  const { grid: cells } = tiled.tiles[image.overview] as InputTile;
  const overview = tiled.pixels(image.overview);
  const pixels = image.tiles.map((tile) => tiled.pixels(tile));
  const [{ channels, height, width }] = pixels as [(typeof pixels)[number]];
  const detail = lostDetail({
    overview: overview.data,
    overviewSize: [overview.height, overview.width],
    tiles: pixels.map(({ data }) => data),
    channels,
    height,
    width,
    grid: image.grid,
    cells,
  });
  return {
    grid: image.grid,
    overview: cells,
    detail: Array.from(detail),
    ...(relevance && { relevance: Array.from(relevance) }),
  };
}

/** The relevance of each overview token to the question. */
async function relevanceOf(
  shown: { readonly vision: Float32Tensor; readonly text: Float32Tensor },
  backend: Backend,
): Promise<Float32Array> {
  const { cosines } = await backend.run(cosineProgram, shown);
  const { data, dims } = cosines as Float32Tensor;
  return tileRelevance(data, dims[1] as number);
}

/** A budget that does not cover all tiles by definition. */
type PartialBudget = Exclude<TileBudget, 'all'>;

/** Whether a budget encodes all of an image's `usable` tiles, whatever their worth. A ranking of the caller may omit tiles. */
function coversAll(budget: PartialBudget, usable: number): boolean {
  if ('worth' in budget) return (budget.min ?? 1) > usable;
  return budget.by === undefined && fixedCount(budget, usable) >= usable;
}

/** How many tiles to encode after the overview, if the number does not depend on their worth. */
function fixedCount(budget: Exclude<PartialBudget, UsefulTiles>, usable: number): number {
  return Math.max(0, ('max' in budget ? budget.max : Math.round(budget.share * (usable + 1))) - 1);
}

/** How many of the ranked tiles to encode after the overview. */
function tilesToAdd(budget: PartialBudget, tiles: RankedTiles, usable: number): number {
  if (!('worth' in budget)) return fixedCount(budget, usable);
  const { worth, min = 1, max = Number.POSITIVE_INFINITY } = budget;
  return Math.min(Math.max(countUsefulTiles(tiles, worth), min - 1), max - 1);
}

/**
 * Ranks the tiles of an image, numbered from 0 in row-major order, most worth encoding first. A ranking of the caller states no
 * worth.
 * @throws InvalidOptionsError if an order contains anything but distinct tiles.
 */
function ranked(facts: TileFacts, budget: PartialBudget): RankedTiles {
  const by = 'worth' in budget ? undefined : budget.by;
  if (by === undefined) return rankTiles(facts);
  const order = by(facts);
  const count = facts.grid[0] * facts.grid[1];
  const invalid = (problem: string): InvalidOptionsError =>
    new InvalidOptionsError('options of prune', [`tiles.by: ${problem}`]);
  const isOrder = readable(
    () =>
      Array.isArray(order) &&
      new Set(order).size === order.length &&
      order.every((tile) => Number.isInteger(tile) && tile >= 0 && tile < count),
    invalid,
  );
  if (isOrder) return { order, worth: [] };
  throw invalid(`expected distinct tile indices from 0 to ${count - 1}, got ${shown(order)}`);
}

interface EncodedPart {
  readonly part: TilePart;
  readonly encoded: EncodedVision;
}

/** The encoder's output for all tiles, with zeros for the tiles it skipped, and the rows of those zeros. */
function assembled(
  parts: readonly EncodedPart[],
  { units, rowsPerUnit }: TiledInputs,
): Pick<EncodedTiles, 'encoded' | 'skipped'> {
  const join = (pick: (encoded: EncodedVision) => TensorLike | undefined): TensorLike | undefined => {
    const [first] = parts;
    const like = first && pick(first.encoded);
    if (first === undefined || like === undefined) return undefined;
    const source = like.data as Float32Array;
    const size = source.length / first.part.units;
    if (!Number.isInteger(size)) return undefined;
    const data = new (source.constructor as new (length: number) => Float32Array)(size * units);
    for (const { part, encoded } of parts) {
      const own = pick(encoded)?.data as Float32Array;
      part.from.forEach((from, at) => {
        data.set(own.subarray(from * size, (from + 1) * size), (part.to[at] as number) * size);
      });
    }
    const length = like.dims[0] ?? 0;
    const width = like.dims.at(-1) as number;
    const dims =
      length % first.part.units === 0
        ? [(length / first.part.units) * units, ...like.dims.slice(1)]
        : [data.length / width, width];
    return makeTensor(like, like.type, data as TensorData, dims);
  };
  const saliency = join((encoded) => encoded.saliency);
  const others = Object.keys(parts[0]?.encoded.others ?? {}).flatMap((name): [string, TensorLike][] => {
    const output = join((encoded) => encoded.others[name]);
    return output === undefined ? [] : [[name, output]];
  });
  const done = new Set(parts.flatMap(({ part }) => part.to));
  const skipped = new Set<number>();
  for (let row = 0; row < units * rowsPerUnit; row++)
    if (!done.has(Math.floor(row / rowsPerUnit))) skipped.add(row);
  return {
    encoded: {
      projected: join((encoded) => encoded.projected) as TensorLike,
      others: Object.fromEntries(others),
      ...(saliency && { saliency }),
    },
    skipped,
  };
}
