// How encoders lay out their output: the ways families share. Each returns the units in the order of the feature rows.

import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import { type ModelConfig, numberAt, section, tensorAt } from '../upstream/types.js';
import type { EncodedUnit, UnitContext } from './family.js';

/** `[rows, columns]` of a square number of tokens. */
function square(tokens: number): Pick<EncodedUnit, 'grid'> {
  const side = Math.round(Math.sqrt(tokens));
  return side * side === tokens ? { grid: [side, side] } : {};
}

/** All units have the same number of tokens: features `[units, tokens, D]`, or `[tokens, D]` over `pixel_values [units, …]`. */
export function equalUnits({ features, inputs }: UnitContext): EncodedUnit[] {
  const leading = features.dims.slice(0, -1);
  const total = leading.reduce((product, length) => product * length, 1);
  const pictures = tensorAt(inputs, 'pixel_values')?.dims.slice(0, -3) ?? [1];
  const count = leading.length > 1 ? total / (leading.at(-1) as number) : pictures.reduce((a, b) => a * b, 1);
  const tokens = total / count;
  if (!Number.isInteger(tokens)) {
    throw new PromptMismatchError(`${total} vision features do not divide among ${count} images`);
  }
  return Array.from({ length: count }, () => ({ tokens, ...square(tokens) }));
}

/** Units are the runs of neighbouring placeholders in the prompt. */
export function unitsFromRuns({ runs }: UnitContext): EncodedUnit[] {
  return runs.map((tokens) => ({ tokens, ...square(tokens) }));
}

/** Units follow the grids `[t, h, w]` of patches, merged `spatial_merge_size`² to one token. */
export function unitsFromGrids({ inputs, config }: UnitContext): EncodedUnit[] {
  const merge = numberAt(section(config, 'vision_config'), 'spatial_merge_size') ?? 2;
  const grids = tensorAt(inputs, 'image_grid_thw');
  if (grids === undefined)
    throw new PromptMismatchError(
      'pixel_values came without image_grid_thw; pass all the processor returned',
    );
  const numbers = Array.from(grids.data as BigInt64Array, Number);
  return Array.from({ length: numbers.length / 3 }, (_, image) => {
    const [t, h, w] = numbers.slice(image * 3, image * 3 + 3) as [number, number, number];
    const rows = t * Math.floor(h / merge);
    const columns = Math.floor(w / merge);
    return { tokens: rows * columns, grid: [rows, columns] };
  });
}

/** The side, in pixels, of the square that one token stands for: patch size times merge. */
function pixelsPerToken(config: ModelConfig): number | undefined {
  const patch = numberAt(section(config, 'vision_config'), 'patch_size');
  const merge = numberAt(config, 'spatial_merge_size') ?? 1;
  return patch === undefined ? undefined : patch * merge;
}

/** Units are whole images `[units, 3, H, W]` with one token per square of pixels, in rows that the prompt separates. */
export function unitsFromPixels(context: UnitContext): EncodedUnit[] {
  const { inputs, config } = context;
  const [images = 1, , height = 0, width = 0] = tensorAt(inputs, 'pixel_values')?.dims ?? [];
  const side = pixelsPerToken(config);
  if (side === undefined) return equalUnits(context);
  const rows = Math.floor(height / side);
  const columns = Math.floor(width / side);
  return Array.from({ length: images }, () => ({ tokens: rows * columns, grid: [rows, columns] }));
}

/** Units are tiles with patch grids `spatial_shapes [tiles, 2]`, shrunk by `downsample_factor` each way. */
export function unitsFromSpatialShapes({ inputs, config }: UnitContext): EncodedUnit[] {
  const factor = numberAt(config, 'downsample_factor') ?? 2;
  const shapes = tensorAt(inputs, 'spatial_shapes');
  if (shapes === undefined)
    throw new PromptMismatchError(
      'pixel_values came without spatial_shapes; pass all the processor returned',
    );
  const numbers = Array.from(shapes.data as BigInt64Array, Number);
  return Array.from({ length: numbers.length / 2 }, (_, tile) => {
    const rows = Math.ceil((numbers[tile * 2] as number) / factor);
    const columns = Math.ceil((numbers[tile * 2 + 1] as number) / factor);
    return { tokens: rows * columns, grid: [rows, columns] };
  });
}

/** Side, in pixels, of the crops of Phi-3 Vision. */
const CROP = 336;

/**
 * Units are images `image_sizes [images, 2]` of whole crops, each of g × g tokens: rows of the crops put together and of
 * the small whole image, each row ended by one token, with one token between the two.
 */
export function unitsFromImageSizes(context: UnitContext): EncodedUnit[] {
  const sizes = tensorAt(context.inputs, 'image_sizes');
  if (sizes === undefined) {
    throw new PromptMismatchError('pixel_values came without image_sizes; pass all the processor returned');
  }
  const numbers = Array.from(sizes.data as BigInt64Array, (pixels) => Number(pixels) / CROP);
  const total = context.features.dims.slice(0, -1).reduce((product, length) => product * length, 1);
  for (let g = 1; g * g <= total; g++) {
    const units = Array.from({ length: numbers.length / 2 }, (_, image) => {
      const [rows, columns] = [numbers[image * 2] as number, numbers[image * 2 + 1] as number];
      return { tokens: rows * g * (columns * g + 1) + 1 + g * (g + 1) };
    });
    if (units.reduce((sum, unit) => sum + unit.tokens, 0) === total) return units;
  }
  return unitsFromRuns(context);
}
