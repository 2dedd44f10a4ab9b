// Encodes only the tiles of an image that are worth it: the overview first, then those with detail that it lost where the
// question looks.

import { type Backend, type Float32Tensor, rankTiles } from '@mmtok/core';
import { defineProgram } from '@mmtok/core/backend';
import { lostDetail, relevance, sum } from '@mmtok/core/internal';
import type { EncodedVision } from '../adapters/adapter.js';
import type { PrunedModel } from '../families/family.js';
import { tilesFromRuns } from '../families/layout.js';
import { makeTensor, matrixSlice, toFloat32, toFloat32Matrix } from '../internal/tensors.js';
import { type ModelInputs, type TensorData, type TensorLike, tensorAt } from '../internal/types.js';
import { type PlacedImage, placeImages, runsOf } from '../prompt/images.js';
import { countPlaceholders, type Prompt } from '../prompt/prompt.js';
import { embedQuestion, findQuestions, type QuestionSettings } from '../question/question.js';
import type { Question } from '../report.js';
import type { TileBudget } from '../select/pools.js';

/** What is encoded of a batch. */
export interface EncodedTiles {
  /** Zeros stand for the tokens of tiles that were not encoded. */
  readonly encoded: EncodedVision;
  /** Rows of those tokens. */
  readonly skipped: ReadonlySet<number>;
  /** Milliseconds spent on ranking. */
  readonly rankMs: number;
}

/** What ranking needs beside the inputs. */
export interface TileSettings extends QuestionSettings {
  readonly tiles: TileBudget;
}

/** A tile of an image, by its place among the encoder's inputs. */
interface InputTile {
  readonly input: number;
  readonly at: readonly [row: number, column: number];
}

/** An image whose tiles are chosen. */
interface TiledImage {
  readonly image: PlacedImage;
  readonly overview: number;
  readonly grid: readonly [rows: number, columns: number];
  /** Row by row. */
  readonly tiles: readonly InputTile[];
}

/**
 * Encodes the tiles that are worth it.
 * @param encode runs the encoder on inputs with some of the tiles.
 * @returns `undefined` where there is nothing to choose: the family does not tile, no image is cut up, the budget asks for
 * all tiles, or the inputs do not tell which tile is which.
 */
export async function encodeWorthwhileTiles(
  pruned: PrunedModel,
  settings: TileSettings,
  inputs: ModelInputs,
  prompt: Prompt,
  backend: () => Promise<Backend>,
  encode: (inputs: ModelInputs) => Promise<EncodedVision>,
): Promise<EncodedTiles | undefined> {
  const pixels = tensorAt(inputs, 'pixel_values');
  const count = pixels?.dims.length === 5 && pixels.dims[0] === 1 ? (pixels.dims[1] as number) : 0;
  const images = settings.tiles === 'all' ? [] : tiledImages(pruned, prompt, count);
  if (pixels === undefined || images.length === 0) return undefined;

  const chosen = new Set(Array.from({ length: count }, (_, input) => input));
  for (const { tiles } of images) for (const { input } of tiles) chosen.delete(input);
  const first = [...chosen];
  const overviews = await encode(withTiles(inputs, first));
  const started = performance.now();
  const added: number[] = [];
  const questions = findQuestions(pruned, settings, prompt);
  const texts = new Map<number, Promise<Float32Tensor | undefined>>();
  const textOf = (batchIndex: number): Promise<Float32Tensor | undefined> => {
    const known = texts.get(batchIndex);
    if (known !== undefined) return known;
    const text = embedQuestion(pruned, prompt, questions[batchIndex] as Question);
    texts.set(batchIndex, text);
    return text;
  };
  const vision = toFloat32Matrix(overviews.projected);
  for (const image of images) {
    const budget = settings.tiles;
    if (budget === 'all') break;
    const all = image.tiles.length + 1;
    const wanted = 'max' in budget ? budget.max : Math.round(budget.share * all);
    const text = await textOf(image.image.batchIndex);
    const ranked = await rank({ image, pixels, vision, first, text }, backend);
    for (const tile of ranked.slice(0, Math.max(0, wanted - 1))) {
      added.push((image.tiles[tile] as InputTile).input);
    }
  }
  added.sort((a, b) => a - b);
  const rankMs = performance.now() - started;
  const more = added.length === 0 ? undefined : await encode(withTiles(inputs, added));

  const parts = [{ inputs: first, encoded: overviews }, ...(more ? [{ inputs: added, encoded: more }] : [])];
  const encoded = assembled(parts, count);
  const done = new Set([...first, ...added]);
  const tokens = countPlaceholders(prompt) / count;
  const skipped = new Set<number>();
  for (let input = 0; input < count; input++) {
    if (done.has(input)) continue;
    for (let row = input * tokens; row < (input + 1) * tokens; row++) skipped.add(row);
  }
  return { encoded, skipped, rankMs };
}

/** The images that are cut into a whole grid of tiles beside an overview; none where the inputs do not tell. */
function tiledImages({ family, model, processor }: PrunedModel, prompt: Prompt, count: number): TiledImage[] {
  const runs = prompt.placeholders.flatMap(runsOf);
  // One run of placeholders per tile of the encoder's input, all of one length.
  if (family.tileAt === undefined || count === 0 || runs.length !== count || new Set(runs).size !== 1)
    return [];
  const tokenId = (token: string): number | undefined => processor.tokenizer.convert_tokens_to_ids(token);
  const context = { config: model.config, inputs: {}, features: prompt.tensor, runs };
  const images = placeImages(prompt, tilesFromRuns(context), sum(runs), family, tokenId);
  let input = 0;
  return images.flatMap((image) => {
    const tiles: InputTile[] = [];
    let overview: number | undefined;
    for (const { imagePart } of image.tiles) {
      if (imagePart === 'overview') overview = input;
      else if (imagePart !== undefined) tiles.push({ input, at: imagePart });
      input++;
    }
    const rows = Math.max(...tiles.map(({ at }) => at[0])) + 1;
    const columns = Math.max(...tiles.map(({ at }) => at[1])) + 1;
    const isGrid = tiles.every(({ at }, index) => at[0] * columns + at[1] === index);
    const isWhole = isGrid && tiles.length === rows * columns && tiles.length + 1 === image.tiles.length;
    return overview === undefined || !isWhole ? [] : [{ image, overview, grid: [rows, columns], tiles }];
  });
}

interface RankContext {
  readonly image: TiledImage;
  readonly pixels: TensorLike;
  /** `[n, D]`: the encoded overviews, and which tiles of the inputs they are. */
  readonly vision: Float32Tensor;
  readonly first: readonly number[];
  /** `[m, D]`: the question; absent without text. */
  readonly text: Float32Tensor | undefined;
}

const relevanceProgram = defineProgram({
  name: 'tile-relevance',
  inputs: { vision: { dims: ['n', 'D'] }, text: { dims: ['m', 'D'] } },
  outputs: { relevance: { dims: ['n', 'one'] } },
  build: (ops, { vision, text }) => ({
    relevance: relevance(ops, vision, text, ops.rowNorms(vision)),
  }),
});

/** The tiles of an image, the most worth encoding first. */
async function rank(
  { image, pixels, vision: overviews, first, text }: RankContext,
  backend: () => Promise<Backend>,
): Promise<readonly number[]> {
  const tokens = (overviews.dims[0] as number) / first.length;
  const vision = matrixSlice(overviews, first.indexOf(image.overview) * tokens, tokens);
  const found =
    text === undefined ? undefined : await (await backend()).run(relevanceProgram, { vision, text });

  const side = Math.round(Math.sqrt(tokens));
  const cells = side * side === tokens ? ([side, side] as const) : ([1, tokens] as const);
  const [, , channels = 0, height = 0, width = 0] = pixels.dims;
  const size = channels * height * width;
  const data = toFloat32(pixels).data;
  const block = (input: number): Float32Array => data.subarray(input * size, (input + 1) * size);
  const tiles = new Float32Array(image.tiles.length * size);
  image.tiles.forEach(({ input }, at) => {
    tiles.set(block(input), at * size);
  });
  const overview = block(image.overview);
  const detail = lostDetail({ overview, tiles, channels, height, width, grid: image.grid, cells });
  return rankTiles({
    grid: image.grid,
    overview: cells,
    detail,
    relevance: found && (found.relevance as Float32Tensor).data,
  }).order;
}

/** The inputs with some of the tiles only. */
function withTiles(inputs: ModelInputs, tiles: readonly number[]): ModelInputs {
  const some: ModelInputs = { ...inputs };
  for (const name of ['pixel_values', 'pixel_attention_mask']) {
    const tensor = tensorAt(inputs, name);
    if (tensor !== undefined) some[name] = blocksOf(tensor, 1, tiles);
  }
  return some;
}

/** Some of the blocks along an axis before which all axes have length 1. */
function blocksOf(tensor: TensorLike, axis: number, blocks: readonly number[]): TensorLike {
  const source = tensor.data as Float32Array;
  const size = source.length / (tensor.dims[axis] as number);
  const data = new (source.constructor as new (length: number) => Float32Array)(blocks.length * size);
  blocks.forEach((from, to) => {
    data.set(source.subarray(from * size, (from + 1) * size), to * size);
  });
  const dims = tensor.dims.map((length, at) => (at === axis ? blocks.length : length));
  return makeTensor(tensor, tensor.type, data as TensorData, dims);
}

interface Part {
  readonly inputs: readonly number[];
  readonly encoded: EncodedVision;
}

/** What the encoder would have given for all tiles, with zeros for those that it did not see. */
function assembled(parts: readonly Part[], count: number): EncodedVision {
  const join = (pick: (encoded: EncodedVision) => TensorLike | undefined): TensorLike | undefined => {
    const [first] = parts;
    const like = first && pick(first.encoded);
    if (first === undefined || like === undefined) return undefined;
    const source = like.data as Float32Array;
    const size = source.length / first.inputs.length;
    if (!Number.isInteger(size)) return undefined;
    const data = new (source.constructor as new (length: number) => Float32Array)(size * count);
    for (const { inputs, encoded } of parts) {
      const own = pick(encoded)?.data as Float32Array;
      inputs.forEach((input, at) => {
        data.set(own.subarray(at * size, (at + 1) * size), input * size);
      });
    }
    const [length = 0, ...rest] = like.dims;
    return makeTensor(like, like.type, data as TensorData, [(length / first.inputs.length) * count, ...rest]);
  };
  const saliency = join((encoded) => encoded.saliency);
  const others = Object.keys(parts[0]?.encoded.others ?? {}).flatMap((name): [string, TensorLike][] => {
    const output = join((encoded) => encoded.others[name]);
    return output === undefined ? [] : [[name, output]];
  });
  return {
    projected: join((encoded) => encoded.projected) as TensorLike,
    others: Object.fromEntries(others),
    ...(saliency && { saliency }),
  };
}
