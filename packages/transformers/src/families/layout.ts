// How encoders arrange their output in tiles, and how prompts mark vision tokens and the end of an image.

import { PromptMismatchError, UnsupportedModelError } from '../errors.js';
import { rowCount } from '../internal/tensors.js';
import { type ModelConfig, numberAt, section, tensorAt } from '../internal/types.js';
import type { ImagePart } from '../report.js';
import type { Tile, TileContext, TilePlace } from './family.js';
import { CROP, phi3Tokens } from './tiling.js';

/** `[rows, columns]` for a token count that is a perfect square. */
function square(tokens: number): Pick<Tile, 'grid'> {
  const side = Math.round(Math.sqrt(tokens));
  return side * side === tokens ? { grid: [side, side] } : {};
}

/** All tiles have the same number of tokens: features `[tiles, tokens, D]`, or `[tokens, D]` for `pixel_values [tiles, …]`. */
export function equalTiles({ features, inputs }: TileContext): Tile[] {
  const leading = features.dims.slice(0, -1);
  const total = rowCount(features);
  const images = tensorAt(inputs, 'pixel_values')?.dims.slice(0, -3) ?? [1];
  const count = leading.length > 1 ? total / (leading.at(-1) as number) : images.reduce((a, b) => a * b, 1);
  const tokens = total / count;
  if (!Number.isInteger(tokens)) {
    throw new PromptMismatchError(`${total} vision features do not divide among ${count} images`);
  }
  return Array.from({ length: count }, () => ({ visionTokens: tokens, ...square(tokens) }));
}

/** Each run of consecutive placeholders in the prompt is a tile. */
export function tilesFromRuns({ runs }: TileContext): Tile[] {
  return runs.map((tokens) => ({ visionTokens: tokens, ...square(tokens) }));
}

/** Tiles follow the patch grids `[t, h, w]`, with `spatial_merge_size`² patches merged into one token. */
export function tilesFromGrids({ inputs, config }: TileContext): Tile[] {
  const merge = numberAt(section(config, 'vision_config'), 'spatial_merge_size') ?? 2;
  const grids = tensorAt(inputs, 'image_grid_thw');
  if (grids === undefined)
    throw new PromptMismatchError(
      'pixel_values came without image_grid_thw; pass everything that the processor returned',
    );
  const numbers = Array.from(grids.data as BigInt64Array, Number);
  return Array.from({ length: numbers.length / 3 }, (_, image) => {
    const [t, h, w] = numbers.slice(image * 3, image * 3 + 3) as [number, number, number];
    const rows = t * Math.floor(h / merge);
    const columns = Math.floor(w / merge);
    return { visionTokens: rows * columns, grid: [rows, columns] };
  });
}

/** The side length, in pixels, of the square that one token covers: patch size times merge size. */
function pixelsPerToken(config: ModelConfig): number | undefined {
  const patch = numberAt(section(config, 'vision_config'), 'patch_size');
  const merge = numberAt(config, 'spatial_merge_size') ?? 1;
  return patch === undefined ? undefined : patch * merge;
}

/** Each image of `[images, 3, H, W]` is a tile with one token per square of pixels, in rows that the prompt separates. */
export function tilesFromPixels(context: TileContext): Tile[] {
  const { inputs, config } = context;
  const [images = 1, , height = 0, width = 0] = tensorAt(inputs, 'pixel_values')?.dims ?? [];
  const side = pixelsPerToken(config);
  if (side === undefined) return equalTiles(context);
  const rows = Math.floor(height / side);
  const columns = Math.floor(width / side);
  return Array.from({ length: images }, () => ({ visionTokens: rows * columns, grid: [rows, columns] }));
}

/** Tiles have patch grids `spatial_shapes [tiles, 2]`, divided by `downsample_factor` along each axis. */
export function tilesFromSpatialShapes({ inputs, config }: TileContext): Tile[] {
  const factor = numberAt(config, 'downsample_factor') ?? 2;
  const shapes = tensorAt(inputs, 'spatial_shapes');
  if (shapes === undefined)
    throw new PromptMismatchError(
      'pixel_values came without spatial_shapes; pass everything that the processor returned',
    );
  const numbers = Array.from(shapes.data as BigInt64Array, Number);
  return Array.from({ length: numbers.length / 2 }, (_, tile) => {
    const rows = Math.ceil((numbers[tile * 2] as number) / factor);
    const columns = Math.ceil((numbers[tile * 2 + 1] as number) / factor);
    return { visionTokens: rows * columns, grid: [rows, columns] };
  });
}

/**
 * Each image of `image_sizes [images, 2]` is one tile. It contains the token rows of the assembled crops, g × g tokens per crop,
 * and those of the small overview. Each row ends with one extra token, and one more token separates the two parts.
 */
export function tilesFromImageSizes(context: TileContext): Tile[] {
  const sizes = tensorAt(context.inputs, 'image_sizes');
  if (sizes === undefined) {
    throw new PromptMismatchError(
      'pixel_values came without image_sizes; pass everything that the processor returned',
    );
  }
  const numbers = Array.from(sizes.data as BigInt64Array, (pixels) => Number(pixels) / CROP);
  const total = rowCount(context.features);
  for (let g = 1; g * g <= total; g++) {
    const tiles = Array.from({ length: numbers.length / 2 }, (_, image) => {
      const [rows, columns] = [numbers[image * 2] as number, numbers[image * 2 + 1] as number];
      return { visionTokens: phi3Tokens(g, rows, columns) };
    });
    if (tiles.reduce((sum, tile) => sum + tile.visionTokens, 0) === total) return tiles;
  }
  return tilesFromRuns(context);
}

/** Placeholders are copies of the token `image_token_index` or `image_token_id` from the configuration. */
export function imageTokenId(config: ModelConfig): (id: number) => boolean {
  const token = numberAt(config, 'image_token_index', 'image_token_id');
  if (token === undefined) {
    throw new UnsupportedModelError(
      String(config.model_type),
      'its config.json has neither image_token_index nor image_token_id, so vision tokens cannot be found in a prompt',
    );
  }
  return (id) => id === token;
}

/** Placeholders are negative ids. */
export function negativeIds(): (id: number) => boolean {
  return (id) => id < 0;
}

/** Idefics and SmolVLM: the overview of the whole image comes last, after its own marker. */
export function endsWithOverview({ ids, first, tokenId }: TilePlace): boolean {
  return ids[first - 1] === tokenId('<global-img>');
}

/** Maximum number of tiles along an edge for which markers are searched. */
const MAX_TILES = 16;

/** Idefics and SmolVLM: a marker before each tile gives its row and column. */
export function tileOfMarker(place: TilePlace): ImagePart | undefined {
  return tileBehind(place, '<global-img>', (row, column) => `<row_${row}_col_${column}>`);
}

/** LFM2-VL: the same, with different markers. */
export function tileOfImageMarker(place: TilePlace): ImagePart | undefined {
  return tileBehind(place, '<|img_thumbnail|>', (row, column) => `<|img_row_${row}_col_${column}|>`);
}

/** Parses the marker before a tile. Markers count rows and columns from 1. */
function tileBehind(
  { ids, first, tokenId }: TilePlace,
  overview: string,
  tile: (row: number, column: number) => string,
): ImagePart | undefined {
  const marker = ids[first - 1];
  if (marker === undefined) return undefined;
  if (marker === tokenId(overview)) return 'overview';
  for (let row = 0; row < MAX_TILES; row++) {
    for (let column = 0; column < MAX_TILES; column++) {
      if (marker === tokenId(tile(row + 1, column + 1))) return [row, column];
    }
  }
  return undefined;
}

/** LFM2-VL: an image ends with an end marker. If it has more tiles, the marker of the next tile follows instead. */
export function endsWithMarker({ ids, last, tokenId }: TilePlace): boolean {
  return ids[last + 1] === tokenId('<|image_end|>');
}
