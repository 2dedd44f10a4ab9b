// The vision tokens of a batch as matrices: which features vision coverage uses, their saliency, and which tokens show only padding.

import type { Float32Tensor } from '@mmtok/core';
import { areTooWide } from '@mmtok/core/internal';
import type { EncodedVision } from '../adapters/adapter.js';
import { SALIENCY_OUTPUT } from '../adapters/embeddings.js';
import { PromptMismatchError, VisionFeaturesError } from '../errors.js';
import { PATCH_MEANS } from '../internal/tapped-sessions.js';
import { matrixRows, toFloat32, toFloat32Matrix } from '../internal/tensors.js';
import type { TensorLike } from '../internal/types.js';
import type { PlacedImage } from '../prompt/images.js';
import type { VisionFeatureSource } from '../report.js';

/** Vision tokens of a batch, one row each. */
export interface VisionRows {
  /** `[n, D]`: the tokens that the language model receives. */
  readonly projected: Float32Tensor;
  /** `[n, d]`: the features that vision coverage compares. */
  readonly features: Float32Tensor;
  readonly source: VisionFeatureSource;
  /** One importance value per token, if the encoder outputs them. */
  readonly saliency?: Float32Array;
  readonly notes: readonly string[];
}

/**
 * Reads the encoder's output.
 * @param wanted `'auto'` uses features from before the projector if the encoder outputs them, unless they are much wider.
 * @param output name of the output that holds these features; by default, the encoder's only other output of matching shape.
 * @param anyWidth whether `'auto'` also accepts wide features.
 * @throws VisionFeaturesError if features from before the projector are required but missing, or if a saliency does not fit.
 */
export function visionRows(
  encoded: EncodedVision,
  wanted: 'auto' | VisionFeatureSource,
  output: string | undefined,
  anyWidth = false,
): VisionRows {
  const projected = toFloat32Matrix(encoded.projected);
  const count = projected.dims[0] as number;
  const saliency = encoded.saliency && readSaliency(encoded.saliency, count);
  const plain: VisionRows = {
    projected,
    features: projected,
    source: 'projected',
    ...(saliency && { saliency }),
    notes: [],
  };
  if (wanted === 'projected') return plain;
  if (wanted === 'patches') {
    const means = encoded.others[PATCH_MEANS];
    if (means !== undefined) return { ...plain, features: toFloat32Matrix(means), source: 'patches' };
    throw new VisionFeaturesError(
      "visionFeatures: 'patches' needs the encoder's unmerged patches; load the model with tap: { patches: true }, which exposes them if the encoder merges patches after its last block",
    );
  }
  const names =
    output === undefined ? Object.keys(encoded.others).filter((name) => name !== PATCH_MEANS) : [output];
  const outputNamed = (name: string): TensorLike | undefined =>
    Object.hasOwn(encoded.others, name) ? encoded.others[name] : undefined;
  for (const name of names) {
    const found = outputNamed(name);
    const isWide = areTooWide(found?.dims.at(-1) ?? 0, projected.dims[1] as number);
    if (isWide && wanted === 'auto' && output === undefined && !anyWidth) return plain;
    const features = found === undefined ? undefined : rowPerToken(found, count);
    if (features !== undefined) return { ...plain, features, source: 'preProjector' };
  }
  const problem =
    names.length === 0 || names.every((name) => outputNamed(name) === undefined)
      ? `the vision encoder has no such output${output === undefined ? '' : ` '${output}'`}`
      : `none of the encoder's outputs (${names.join(', ')}) has one row for each of the ${count} vision tokens`;
  if (wanted === 'preProjector' || output !== undefined) {
    throw new VisionFeaturesError(
      `${problem}; load the model with loadVlm(), which exposes these features, or set visionFeatures: 'auto'`,
    );
  }
  return { ...plain, notes: names.length === 0 ? [] : [problem] };
}

/** The rows of vision tokens; drops a leading class token of each image. */
function rowPerToken(output: TensorLike, count: number): Float32Tensor | undefined {
  const features = toFloat32Matrix(output);
  const [rows = 0] = features.dims;
  if (rows === count) return features;
  const perImage = output.dims.at(-2) ?? 0;
  const images = perImage === 0 ? 0 : rows / perImage;
  if (output.dims.length !== 3 || images * (perImage - 1) !== count) return undefined;
  const patches = Array.from({ length: rows }, (_, row) => row).filter((row) => row % perImage !== 0);
  return matrixRows(features, patches);
}

/** @throws VisionFeaturesError unless there is exactly one number per token. */
function readSaliency(output: TensorLike, tokens: number): Float32Array {
  const { data, dims } = toFloat32(output);
  if (data.length === tokens) return data;
  throw new VisionFeaturesError(
    `the vision encoder's output '${SALIENCY_OUTPUT}' has the shape [${dims}], but there must be one number for each of the ${tokens} vision tokens; export it without class tokens and before padding`,
  );
}

/** The size of an image in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Tokens of a `grid` whose patches lie entirely in the padding, for an image of `size` that was padded to a centered square of
 * `side` pixels. These are the candidates that the official MMTok code excludes.
 * @see https://arxiv.org/abs/2508.18264 (Appendix C)
 */
export function paddingTokens(
  { width, height }: ImageSize,
  [rows, columns]: readonly [number, number],
  side: number,
): number[] {
  const wide = width >= height;
  const count = wide ? rows : columns;
  const patch = side / count;
  const shown = Math.round((wide ? height : width) * (side / Math.max(width, height)));
  const before = Math.floor((side - shown) / 2);
  const after = side - shown - before;
  const leading = Math.floor(before / patch);
  const trailing = count - Math.floor(after / patch);
  const isPadding = (line: number): boolean => line < leading || line >= trailing;
  return Array.from({ length: rows * columns }, (_, token) => token).filter((token) =>
    isPadding(wide ? Math.floor(token / columns) : token % columns),
  );
}

/**
 * Tokens of a `grid` over pixels of size `padded` that show no part of an image of size `shown`. The image processors of
 * transformers.js place the image in the top left corner.
 */
export function cornerPaddingTokens(
  shown: ImageSize,
  [rows, columns]: readonly [number, number],
  padded: ImageSize,
): number[] {
  const isPadding = (token: number): boolean =>
    Math.floor(token / columns) * (padded.height / rows) >= shown.height ||
    (token % columns) * (padded.width / columns) >= shown.width;
  return Array.from({ length: rows * columns }, (_, token) => token).filter(isPadding);
}

/** What an image processor reports about its images: their sizes, and the padded size of the pixels. */
export interface ShownSizes {
  readonly shown: readonly ImageSize[];
  readonly padded: ImageSize;
}

/**
 * Reads the sizes of padded images from `reshaped_input_sizes`: `[height, width]` of each image before padding.
 * @returns `undefined` if the sizes are not reported or nothing is padded.
 */
export function shownSizes(sizes: unknown, pixels: TensorLike | undefined): ShownSizes | undefined {
  const [images, , height, width] = pixels?.dims ?? [];
  if (pixels?.dims.length !== 4 || height === undefined || width === undefined) return undefined;
  if (!Array.isArray(sizes) || sizes.length !== images) return undefined;
  const shown = sizes.map((one: unknown) => {
    const [h, w] = Array.isArray(one) ? (one as unknown[]) : [];
    return { height: Number(h), width: Number(w) };
  });
  const fits = shown.every((one) => one.height > 0 && one.width > 0);
  const isPadded = shown.some((one) => one.height < height || one.width < width);
  return fits && isPadded ? { shown, padded: { height, width } } : undefined;
}

/** Vision tokens that a call excludes. */
export interface ExclusionSettings {
  /** For each image, tokens that must never be kept. */
  readonly exclude?: readonly (readonly number[])[] | undefined;
  /** Sizes of the images before they were padded to a square; `false` allows keeping padding tokens. */
  readonly paddedFrom?: readonly ImageSize[] | false | undefined;
}

/**
 * Feature rows that must never be kept. They remain targets of coverage.
 * @param side side length, in pixels, of the square that images are padded to.
 * @param reported what the image processor reports about padding, for calls that do not specify it.
 * @throws PromptMismatchError if there is not exactly one entry per image, or an entry does not fit its image.
 */
export function excludedRows(
  images: readonly PlacedImage[],
  { exclude, paddedFrom }: ExclusionSettings,
  side: number | undefined,
  reported?: ShownSizes,
): Set<number> {
  for (const [name, list] of Object.entries({ exclude, paddedFrom })) {
    if (list && list.length !== images.length) {
      throw new PromptMismatchError(
        `${name} has ${list.length} entries for ${images.length} images; pass one per image`,
      );
    }
  }
  const rows = new Set<number>();
  images.forEach(({ start, visionTokens, tiles }, at) => {
    for (const token of exclude?.[at] ?? []) {
      if (token >= visionTokens) {
        throw new PromptMismatchError(
          `exclude contains token ${token} of image ${at}, which has ${visionTokens} vision tokens`,
        );
      }
      rows.add(start + token);
    }
    const grid = tiles.length === 1 ? tiles[0]?.grid : undefined;
    if (paddedFrom === undefined && reported?.shown.length === images.length && grid !== undefined) {
      const padding = cornerPaddingTokens(reported.shown[at] as ImageSize, grid, reported.padded);
      for (const token of padding) rows.add(start + token);
    }
    const size = paddedFrom ? paddedFrom[at] : undefined;
    if (size === undefined) return;
    if (grid === undefined || side === undefined) {
      throw new PromptMismatchError(
        'paddedFrom applies only to square-padded images whose vision tokens form a single grid',
      );
    }
    for (const token of paddingTokens(size, grid, side)) rows.add(start + token);
  });
  return rows;
}
