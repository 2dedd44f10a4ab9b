// The dimensions of vision encoders, from patches to the tokens that the language model reads. These determine how long
// encoding takes; there are no weights and no graph here.

import { InvalidOptionsError } from '@mmtok/core';
import * as z from 'zod';

/** A vision transformer with its projector, and its input image. */
export interface EncoderDims {
  /** Display name, e.g. `'SigLIP-B/16-512'`. */
  readonly title: string;
  readonly hidden: number;
  /** Layers that are run: fewer than in the configuration if the model does not use the last layers. */
  readonly layers: number;
  readonly heads: number;
  /** Intermediate width of the feed-forward block. */
  readonly intermediate: number;
  /** Whether the feed-forward block is gated, as in Qwen2.5-VL and Pixtral. */
  readonly gated: boolean;
  /** Values per patch: its pixels, three channels each, in all frames that it spans. */
  readonly patchValues: number;
  /** `[rows, columns]` of patches in a tile, or in the whole image if it is not tiled. */
  readonly grid: readonly [rows: number, columns: number];
  /** Tiles of one prompt, including the overview. */
  readonly tiles: number;
  /** Whether there is a class token, which the projector does not read. */
  readonly classToken: boolean;
  /** Patches on each side of the square that becomes one vision token. */
  readonly merge: number;
  /** Widths of the projector's hidden layers; if empty, the projector is a single linear layer. */
  readonly projector: readonly number[];
  /** Windowed attention, with full attention in the last layer of each period. If absent, all layers use full attention. */
  readonly window?: { readonly side: number; readonly fullEvery: number } | undefined;
  /** Side of a patch in pixels, for encoders that take images of any size. If absent, the size is fixed. */
  readonly anySizePatch?: number | undefined;
}

const size = z.int('expected a whole number').positive('expected at least 1');

/** Checks an encoder's dimensions. */
export const encoderSchema: z.ZodType<EncoderDims, EncoderDims> = z
  .strictObject({
    title: z.string().min(1),
    hidden: size,
    layers: size,
    heads: size,
    intermediate: size,
    gated: z.boolean(),
    patchValues: size,
    grid: z.tuple([size, size]),
    tiles: size,
    classToken: z.boolean(),
    merge: size,
    projector: z.array(size),
    window: z.strictObject({ side: size, fullEvery: size }).optional(),
    anySizePatch: size.optional(),
  })
  .refine(({ hidden, heads }) => hidden % heads === 0, 'expected hidden to be a multiple of heads')
  .refine(
    ({ grid, merge }) => grid.every((side) => side % merge === 0),
    'expected sides of the grid that are multiples of merge',
  )
  .refine(
    ({ grid, window }) => window === undefined || grid.every((side) => side % window.side === 0),
    'expected sides of the grid that are multiples of the window',
  );

/** Vision tokens that one tile becomes. */
export function tokensPerTile({ grid: [rows, columns], merge }: EncoderDims): number {
  return (rows / merge) * (columns / merge);
}

/** The number of layers that must be built together: one, or the period of the window pattern. */
export function layerPattern({ window }: EncoderDims): number {
  return window?.fullEvery ?? 1;
}

/**
 * The encoder with another image size.
 * @throws InvalidOptionsError if its size is fixed, or not a multiple of what the encoder cuts pictures into.
 */
export function withPicture(encoder: EncoderDims, width: number, height: number): EncoderDims {
  const { title, anySizePatch, merge, window } = encoder;
  if (anySizePatch === undefined) {
    throw new InvalidOptionsError('picture', [
      `${title} takes pictures of one size, so its time does not depend on the picture; leave it out`,
    ]);
  }
  const unit = anySizePatch * Math.max(merge, window?.side ?? 1);
  const fits = (length: number): boolean => length > 0 && length % unit === 0;
  if (!fits(width) || !fits(height)) {
    const near = (length: number): number => Math.max(1, Math.round(length / unit)) * unit;
    throw new InvalidOptionsError('picture', [
      `${title} is measured on sides that are multiples of ${unit} pixels, got ${width}x${height}; ` +
        `try ${near(width)}x${near(height)}`,
    ]);
  }
  return { ...encoder, grid: [height / anySizePatch, width / anySizePatch] };
}

const plain = { gated: false, classToken: false, merge: 1, tiles: 1, projector: [] };

/** CLIP ViT-L/14 at 336 pixels. The projector reads the input of the last of its 24 layers, which exports omit. */
export const clipLarge: EncoderDims = {
  ...plain,
  title: 'CLIP-L/14-336',
  hidden: 1024,
  layers: 23,
  heads: 16,
  intermediate: 4096,
  patchValues: 588,
  grid: [24, 24],
  classToken: true,
};

/** SigLIP-B/16 at 512 pixels. */
export const siglipBase: EncoderDims = {
  ...plain,
  title: 'SigLIP-B/16-512',
  hidden: 768,
  layers: 12,
  heads: 12,
  intermediate: 3072,
  patchValues: 768,
  grid: [32, 32],
};

/** SigLIP-L/16 at 384 pixels. */
export const siglipLarge: EncoderDims = {
  ...plain,
  title: 'SigLIP-L/16-384',
  hidden: 1024,
  layers: 24,
  heads: 16,
  intermediate: 4096,
  patchValues: 768,
  grid: [24, 24],
};

/** SigLIP-SO400M/14 at 384 pixels. */
export const siglipSo400m: EncoderDims = {
  ...plain,
  title: 'SigLIP-SO400M/14-384',
  hidden: 1152,
  layers: 27,
  heads: 16,
  intermediate: 4304,
  patchValues: 588,
  grid: [27, 27],
};

/** The tower of Qwen2-VL on an image of 1,792 × 896 pixels: 8,192 patches of 14 pixels in two frames. */
export const qwen2Tower: EncoderDims = {
  ...plain,
  title: 'Qwen2-VL tower',
  hidden: 1280,
  layers: 32,
  heads: 16,
  intermediate: 5120,
  patchValues: 1176,
  grid: [64, 128],
  merge: 2,
  projector: [5120],
  anySizePatch: 14,
};

/** The tower of Qwen2.5-VL on the same image: windows of 112 pixels in at least three of four layers. */
export const qwen25Tower: EncoderDims = {
  ...qwen2Tower,
  title: 'Qwen2.5-VL tower',
  intermediate: 3420,
  gated: true,
  window: { side: 8, fullEvery: 8 },
};
