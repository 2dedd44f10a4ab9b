// How the encoders of tiling families take their inputs: which part of its image each input shows, how to encode a subset of the
// inputs, and where the rows of the result belong.

import { makeTensor, toFloat32 } from '../internal/tensors.js';
import { type ModelInputs, type TensorData, type TensorLike, tensorAt } from '../internal/types.js';
import type { ImagePart } from '../report.js';

/** The pixels of an encoder input, `[channels, height, width]`. */
export interface TilePixels {
  readonly data: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** One encoder input: a tile, an overview, or an untiled image. */
export interface InputTile {
  /** Index of its image in the batch. */
  readonly image: number;
  /** Absent for an untiled image. */
  readonly at: ImagePart | undefined;
  /** `[rows, columns]` of its vision tokens. */
  readonly grid: readonly [rows: number, columns: number];
  /** Its vision tokens, row by row, as units of the encoder's output; empty if the encoder ignores this input. */
  readonly units: readonly number[];
}

/** A subset of the inputs, to be encoded separately. */
export interface TilePart {
  readonly inputs: ModelInputs;
  /** Number of units that the encoder outputs for the subset. */
  readonly units: number;
  /** Unit `from[i]` of the subset's output corresponds to unit `to[i]` of the full output. */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** All encoder inputs of a batch. */
export interface TiledInputs {
  readonly tiles: readonly InputTile[];
  /**
   * The encoder's output as units of `rowsPerUnit` rows: whole tiles if all tiles have the same number of tokens, otherwise single rows.
   */
  readonly units: number;
  readonly rowsPerUnit: number;
  /** The pixels of a tile. */
  pixels(tile: number): TilePixels;
  /** The inputs that make the encoder process only these tiles. */
  part(tiles: readonly number[]): TilePart;
}

/** A tile in the prompt. */
export interface PromptTile {
  /** Index of its image in the batch. */
  readonly image: number;
  readonly visionTokens: number;
  readonly grid?: readonly [rows: number, columns: number];
  /** Which part of its image the tile shows. Absent if the prompt does not say. */
  readonly imagePart?: ImagePart;
}

/**
 * Determines which tiles the encoder takes.
 * @returns `undefined` if the inputs do not contain this information.
 */
export type Tiling = (inputs: ModelInputs, tiles: readonly PromptTile[]) => TiledInputs | undefined;

/**
 * The tiles that the encoder takes for all images, including overviews; 1 for families that do not tile images, because there is
 * nothing to skip.
 */
export function tileCount({ tiling }: { readonly tiling?: Tiling }, inputs: ModelInputs): number {
  const dims = tensorAt(inputs, 'pixel_values')?.dims;
  if (tiling === undefined || dims === undefined) return 1;
  const [first = 1, second = 1] = dims;
  return Math.max(1, dims.length === 5 ? first * second : first);
}

/** Idefics and SmolVLM: images `[batch, tiles, channels, height, width]`; tiles that only pad the batch are masked. */
export const imageTiling: Tiling = (inputs, tiles) => {
  const pixels = tensorAt(inputs, 'pixel_values');
  const mask = tensorAt(inputs, 'pixel_attention_mask');
  if (pixels?.dims.length !== 5) return undefined;
  const [batch = 0, most = 0, channels = 0, height = 0, width = 0] = pixels.dims;
  const shown = Array.from({ length: batch * most }, (_, at) => at).filter(
    (at) => mask === undefined || blockOf(mask, at, batch * most).some((bit) => bit !== 0),
  );
  const [tokens] = tiles.map(({ visionTokens }) => visionTokens);
  const isEven = tiles.every(({ visionTokens }) => visionTokens === tokens);
  if (shown.length !== tiles.length || !isEven || tokens === undefined) return undefined;
  return {
    tiles: tiles.map(({ image, grid, imagePart }, at) => ({
      image,
      at: imagePart,
      grid: grid ?? [1, tokens],
      units: [at],
    })),
    units: tiles.length,
    rowsPerUnit: tokens,
    pixels: (tile) => ({
      data: blockOf(pixels, shown[tile] as number, batch * most, toFloat32(pixels).data),
      channels,
      height,
      width,
    }),
    part: (some) => {
      const places = some.map((tile) => shown[tile] as number);
      return {
        inputs: {
          ...inputs,
          pixel_values: blocks(pixels, 2, places, [1, places.length]),
          ...(mask && { pixel_attention_mask: blocks(mask, 2, places, [1, places.length]) }),
        },
        units: some.length,
        from: some.map((_, at) => at),
        to: some,
      };
    },
  };
};

/** LFM2-VL: patches `[tiles, patches, values]` of tiles of different sizes, with their grids in `spatial_shapes`. */
export const patchTiling: Tiling = (inputs, tiles) => {
  const pixels = tensorAt(inputs, 'pixel_values');
  const shapes = tensorAt(inputs, 'spatial_shapes');
  const names = ['pixel_values', 'pixel_attention_mask', 'spatial_shapes'];
  if (pixels?.dims.length !== 3 || shapes === undefined) return undefined;
  const [count = 0, , values = 0] = pixels.dims;
  const side = Math.sqrt(values / CHANNELS);
  if (count !== tiles.length || !Number.isInteger(side)) return undefined;
  const grids = Array.from(shapes.data as BigInt64Array, Number);
  let next = 0;
  const read = tiles.map(({ image, visionTokens, grid, imagePart }): InputTile => {
    const units = Array.from({ length: visionTokens }, () => next++);
    return { image, at: imagePart, grid: grid ?? [1, visionTokens], units };
  });
  return {
    tiles: read,
    units: next,
    rowsPerUnit: 1,
    pixels(tile) {
      const patches = blockOf(pixels, tile, count, toFloat32(pixels).data);
      return unpatched(patches, grids.slice(tile * 2, tile * 2 + 2), side);
    },
    part(some) {
      const to = some.flatMap((tile) => (read[tile] as InputTile).units);
      const own = names.flatMap((name): [string, TensorLike][] => {
        const tensor = tensorAt(inputs, name);
        return tensor === undefined ? [] : [[name, blocks(tensor, 1, some, [some.length])]];
      });
      const from = to.map((_, at) => at);
      return { inputs: { ...inputs, ...Object.fromEntries(own) }, units: to.length, from, to };
    },
  };
};

const CHANNELS = 3;

/** Converts patches in raster order, each with its pixels in raster order, to pixels `[channels, height, width]`. */
function unpatched(
  patches: Float32Array,
  [rows = 0, columns = 0]: readonly number[],
  side: number,
): TilePixels {
  const [height, width] = [rows * side, columns * side];
  const data = new Float32Array(CHANNELS * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const patch = Math.floor(y / side) * columns + Math.floor(x / side);
      const from = ((patch * side + (y % side)) * side + (x % side)) * CHANNELS;
      for (let channel = 0; channel < CHANNELS; channel++)
        data[(channel * height + y) * width + x] = patches[from + channel] as number;
    }
  }
  return { data, channels: CHANNELS, height, width };
}

/** Side length, in pixels, of a Phi-3 Vision crop. */
export const CROP = 336;

/**
 * Phi-3 Vision: images `[images, 1 + crops, channels, CROP, CROP]`, the overview first, and `image_sizes`, which give the number
 * of crop rows and columns that the encoder assembles. Its output consists of token rows, each followed by a learned token, with
 * another learned token between crops and overview. Any subset of crops can be passed as a single row of crops. A single crop is
 * encoded twice, because the encoder does not accept an overview without a crop.
 */
export const cropTiling: Tiling = (inputs, images) => {
  const pixels = tensorAt(inputs, 'pixel_values');
  const sizes = tensorAt(inputs, 'image_sizes');
  if (pixels?.dims.length !== 5 || sizes === undefined || pixels.dims[0] !== images.length) return undefined;
  const [, perImage = 0, channels = 0, height = 0, width = 0] = pixels.dims;
  // transformers.js splits every image into a square grid of crops. The encoder reads the number of crops given by `image_sizes`.
  const side = Math.sqrt(perImage - 1);
  const layouts = Array.from(sizes.data as BigInt64Array, (length) => Number(length) / CROP);
  const read: InputTile[] = [];
  /** For each input, the learned tokens that belong to it. */
  const learned: { readonly ends: readonly number[]; readonly between: readonly number[] }[] = [];
  let start = 0;
  for (const [image, { visionTokens }] of images.entries()) {
    const [rows = 0, columns = 0] = layouts.slice(image * 2, image * 2 + 2);
    const g = tokensPerEdge(visionTokens, rows, columns);
    if (g === undefined || rows * columns > perImage - 1) return undefined;
    const grid = [g, g] as const;
    const line = columns * g + 1;
    const between = start + rows * g * line;
    const block = (first: number, stride: number): number[] =>
      Array.from({ length: g * g }, (_, at) => first + Math.floor(at / g) * stride + (at % g));
    const ends = (first: number, stride: number): number[] =>
      Array.from({ length: g }, (_, at) => first + at * stride + stride - 1);
    read.push({ image, at: 'overview', grid, units: block(between + 1, g + 1) });
    learned.push({ ends: ends(between + 1, g + 1), between: [between] });
    for (let crop = 0; crop < perImage - 1; crop++) {
      const at = [Math.floor(crop / side), crop % side] as const;
      const row = start + Math.floor(crop / columns) * g * line;
      const isRead = crop < rows * columns;
      read.push({ image, at, grid, units: isRead ? block(row + (crop % columns) * g, line) : [] });
      learned.push({ ends: isRead ? ends(row, line) : [], between: [] });
    }
    start += visionTokens;
  }
  return {
    tiles: read,
    units: start,
    rowsPerUnit: 1,
    pixels: (tile) => ({
      data: blockOf(pixels, tile, read.length, toFloat32(pixels).data),
      channels,
      height,
      width,
    }),
    part(some) {
      const shown = some.length === 1 ? [...some, ...some] : some;
      const columns = shown.length - 1;
      const [from, to]: [number[], number[]] = [[], []];
      let units = 0;
      shown.forEach((tile, slot) => {
        const { grid, units: own } = read[tile] as InputTile;
        const [g] = grid;
        const line = columns * g + 1;
        units = g * line + 1 + g * (g + 1);
        own.forEach((unit, at) => {
          const [y, x] = [Math.floor(at / g), at % g];
          from.push(slot === 0 ? g * line + 1 + y * (g + 1) + x : y * line + (slot - 1) * g + x);
          to.push(unit);
        });
        const { ends, between } = learned[tile] as (typeof learned)[number];
        for (const unit of ends) {
          from.push(line - 1);
          to.push(unit);
        }
        for (const unit of between) {
          from.push(g * line);
          to.push(unit);
        }
      });
      const size = makeTensor(sizes, 'int64', BigInt64Array.from([CROP, CROP * columns], BigInt), [1, 2]);
      const pixel_values = blocks(pixels, 2, shown, [1, shown.length]);
      return { inputs: { ...inputs, pixel_values, image_sizes: size }, units, from, to };
    },
  };
};

/** Tokens along one edge of a Phi-3 Vision crop, derived from the token count of its image; `undefined` if no edge length fits. */
function tokensPerEdge(visionTokens: number, rows: number, columns: number): number | undefined {
  for (let g = 1; g * g <= visionTokens; g++) if (phi3Tokens(g, rows, columns) === visionTokens) return g;
  return undefined;
}

/** Vision tokens of a Phi-3 Vision image: rows and columns of crops with g × g tokens each, plus the overview. */
export function phi3Tokens(g: number, rows: number, columns: number): number {
  return rows * g * (columns * g + 1) + 1 + g * (g + 1);
}

type Elements = Float32Array | Uint8Array;

/** One of `count` equal blocks of a tensor. */
function blockOf<T extends Elements = Uint8Array>(
  tensor: TensorLike,
  block: number,
  count: number,
  data: T = tensor.data as T,
): T {
  const size = data.length / count;
  return data.subarray(block * size, (block + 1) * size) as T;
}

/** Gathers some of the blocks over the first `axes` axes of a tensor, and replaces those axes with `leading`. */
function blocks(
  tensor: TensorLike,
  axes: number,
  chosen: readonly number[],
  leading: readonly number[],
): TensorLike {
  const source = tensor.data as Float32Array;
  const size = tensor.dims.slice(axes).reduce((product, length) => product * length, 1);
  const data = new (source.constructor as new (length: number) => Float32Array)(chosen.length * size);
  chosen.forEach((from, to) => {
    data.set(source.subarray(from * size, (from + 1) * size), to * size);
  });
  return makeTensor(tensor, tensor.type, data as TensorData, [...leading, ...tensor.dims.slice(axes)]);
}
