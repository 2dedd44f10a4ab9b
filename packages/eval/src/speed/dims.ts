// The dimensions of models: language model, vision tokens, and vision encoder, and what a first token costs with them.

import { InvalidOptionsError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { type ConvolutionalEncoder, convolutionalSchema, lastMap, towerCost } from './convolution.js';
import { type MixerDims, mixerPeriod, mixerSchema, mixersOf, mixerWeights, mixingCost } from './mixers.js';
import { positiveInt } from './schemas.js';

/** A vision transformer with its projector, and its input image. */
export interface TransformerEncoder {
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
  /** Whether queries and keys are normalized per head. @default false */
  readonly headNorms?: boolean | undefined;
  /** Whether what attention and the feed-forward block return is normalized too. @default false */
  readonly postNorms?: boolean | undefined;
  /** Values per patch: its pixels, three channels each, in all frames that it spans. */
  readonly patchValues: number;
  /** `[rows, columns]` of patches in a tile, or in the whole image if it is not tiled. */
  readonly grid: readonly [rows: number, columns: number];
  /** Tiles of one prompt, including the overview. */
  readonly tiles: number;
  /** Whether there is a class token, which the projector does not read. */
  readonly classToken: boolean;
  /** Patches on each side of the square that becomes one vision token, by concatenation. */
  readonly merge: number;
  /** Patches on each side of the square that is averaged before that. @default 1 */
  readonly pool?: number | undefined;
  /** Widths of the projector's hidden layers; if empty, the projector is a single linear layer. */
  readonly projector: readonly number[];
  /**
   * Intermediate width of a block after the projector, as in GLM-OCR: a linear layer, a norm, GELU, and a gated feed-forward block,
   * as wide as the embeddings. If absent, there is none.
   */
  readonly gatedMerger?: number | undefined;
  /** Windowed attention, with full attention in the last layer of each period. If absent, all layers use full attention. */
  readonly window?: { readonly side: number; readonly fullEvery: number } | undefined;
  /** Side of a patch in pixels, for encoders that take images of any size. If absent, the size is fixed. */
  readonly anySizePatch?: number | undefined;
}

/** A vision encoder with its projector, and its input image. */
export type EncoderDims = TransformerEncoder | ConvolutionalEncoder;

/** Whether an encoder is a convolutional tower. */
export function isConvolutional(encoder: EncoderDims): encoder is ConvolutionalEncoder {
  return 'stages' in encoder;
}

const transformerSchema: z.ZodType<TransformerEncoder, TransformerEncoder> = z
  .strictObject({
    title: z.string('expected text').min(1, 'expected text'),
    hidden: positiveInt,
    layers: positiveInt,
    heads: positiveInt,
    intermediate: positiveInt,
    gated: z.boolean(),
    headNorms: z.boolean().optional(),
    postNorms: z.boolean().optional(),
    patchValues: positiveInt,
    grid: z.tuple([positiveInt, positiveInt]),
    tiles: positiveInt,
    classToken: z.boolean(),
    merge: positiveInt,
    pool: positiveInt.optional(),
    projector: z.array(positiveInt),
    gatedMerger: positiveInt.optional(),
    window: z.strictObject({ side: positiveInt, fullEvery: positiveInt }).optional(),
    anySizePatch: positiveInt.optional(),
  })
  .refine(({ hidden, heads }) => hidden % heads === 0, 'expected hidden to be a multiple of heads')
  .refine(
    ({ grid, merge, pool = 1 }) => grid.every((side) => side % (merge * pool) === 0),
    'expected sides of the grid that are multiples of merge times pool',
  )
  .refine(
    ({ grid, window }) => window === undefined || grid.every((side) => side % window.side === 0),
    'expected sides of the grid that are multiples of the window',
  );

/** Checks an encoder's dimensions. With `stages`, they are those of a convolutional tower. */
const encoderSchema: z.ZodType<EncoderDims, unknown> = z
  .unknown()
  .transform((value, context): EncoderDims => {
    const isTower = typeof value === 'object' && value !== null && 'stages' in value;
    const parsed = (isTower ? convolutionalSchema : transformerSchema).safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });

/** Vision tokens that one tile becomes. */
export function tokensPerTile(encoder: EncoderDims): number {
  if (isConvolutional(encoder)) return lastMap(encoder).side ** 2;
  const { grid, merge, pool = 1 } = encoder;
  return (grid[0] * grid[1]) / (merge * pool) ** 2;
}

/** Width of a vision token before the projector. */
export function widthOf(encoder: EncoderDims): number {
  return isConvolutional(encoder) ? lastMap(encoder).channels : encoder.hidden * encoder.merge ** 2;
}

/** The number of layers that must be built together: one, or the period of the window pattern. */
export function layerPattern({ window }: TransformerEncoder): number {
  return window?.fullEvery ?? 1;
}

/**
 * The encoder with another image size.
 * @throws InvalidOptionsError if its size is fixed, or not a multiple of what the encoder cuts images into.
 */
function withImageSize(encoder: EncoderDims, width: number, height: number): EncoderDims {
  if (isConvolutional(encoder) || encoder.anySizePatch === undefined) {
    throw new InvalidOptionsError('imageSize', [
      `${encoder.title} takes images of one size, so its time does not depend on the image; leave the size out`,
    ]);
  }
  const { title, anySizePatch, merge, pool = 1, window } = encoder;
  const unit = anySizePatch * Math.max(merge * pool, window?.side ?? 1);
  const fits = (length: number): boolean => length > 0 && length % unit === 0;
  if (!fits(width) || !fits(height)) {
    const near = (length: number): number => Math.max(1, Math.round(length / unit)) * unit;
    throw new InvalidOptionsError('imageSize', [
      `${title} is measured on sides that are multiples of ${unit} pixels, got ${width}x${height}; ` +
        `try ${near(width)}x${near(height)}`,
    ]);
  }
  return { ...encoder, grid: [height / anySizePatch, width / anySizePatch] };
}

/** A decoder like those of Llama and Qwen 2, and the images that come before its text. */
export interface ModelDims extends MixerDims {
  /** Display name, e.g. `'LLaVA-1.5-7B'`. */
  readonly title: string;
  readonly layers: number;
  /** Intermediate width of the feed-forward block. */
  readonly intermediate: number;
  /** Whether the feed-forward block is gated. @default true */
  readonly gated?: boolean | undefined;
  /** Whether attention and the feed-forward block read the same tokens, side by side, as in Phi. @default false */
  readonly parallel?: boolean | undefined;
  /** Whether what attention and the feed-forward block return is normalized too, as in Gemma 3. @default false */
  readonly postNorms?: boolean | undefined;
  readonly vocabulary: number;
  /** Vision tokens of one prompt. */
  readonly visionTokens: number;
  /** Width of the features before the projector, d. */
  readonly visionWidth: number;
  /** Default budgets to measure, as text. */
  readonly keep: readonly string[];
  /** The encoder that produces the vision tokens. If absent, times start after the encoder. */
  readonly encoder?: EncoderDims | undefined;
}

const schema = z
  .strictObject({
    title: z.string('expected text').min(1, 'expected text'),
    hidden: positiveInt,
    layers: positiveInt,
    heads: positiveInt,
    keyValueHeads: positiveInt,
    headDim: positiveInt.multipleOf(8, 'expected a multiple of 8'),
    intermediate: positiveInt,
    gated: z.boolean().optional(),
    parallel: z.boolean().optional(),
    postNorms: z.boolean().optional(),
    vocabulary: positiveInt,
    attentionBias: z.boolean(),
    biased: z.boolean().optional(),
    headNorms: z.boolean().optional(),
    outputGate: z.boolean().optional(),
    mixers: z.array(mixerSchema).min(1, 'expected at least one mixer').optional(),
    visionTokens: positiveInt,
    visionWidth: positiveInt,
    keep: z.array(z.string()).min(1, 'expected a budget such as "64" or "10%"'),
    encoder: encoderSchema.optional(),
  })
  .refine(
    ({ heads, keyValueHeads }) => heads % keyValueHeads === 0,
    'expected heads to be a multiple of keyValueHeads',
  )
  .refine(
    ({ gated = true, biased = false }) => !(gated && biased),
    'expected gated to be false where biased is true: gated blocks have no biases here',
  )
  .refine(
    (dims) => dims.layers % mixerPeriod(dims) === 0,
    'expected layers to be a multiple of the number of mixers',
  )
  .refine(
    ({ encoder, visionTokens }) =>
      encoder === undefined || encoder.tiles * tokensPerTile(encoder) === visionTokens,
    'expected visionTokens to be what the tiles of the encoder become',
  )
  .refine(
    ({ encoder, visionWidth }) => encoder === undefined || widthOf(encoder) === visionWidth,
    'expected visionWidth to be the width of a vision token before the projector: hidden times merge², or the last channels',
  );

/**
 * Dimensions for another image size, for encoders that take any size.
 * @throws InvalidOptionsError if the encoder does not take images of any size, or not of this one.
 */
export function atImageSize(dims: ModelDims, width: number, height: number): ModelDims {
  if (dims.encoder === undefined) {
    throw new InvalidOptionsError('imageSize', [`${dims.title} has no encoder; add one to its dimensions`]);
  }
  const encoder = withImageSize(dims.encoder, width, height);
  return { ...dims, encoder, visionTokens: encoder.tiles * tokensPerTile(encoder) };
}

/**
 * Checks dimensions that came from outside, e.g. from a JSON file.
 * @throws InvalidOptionsError naming what is missing or wrong.
 */
export function parseModelDims(value: unknown): ModelDims {
  return parseOptions('dimensions of a model', schema, value);
}

/** Weights of all layers and of the head. */
export interface ParameterCounts {
  readonly layers: number;
  /** The final norm and the projection to the vocabulary; the embedding table is not run. */
  readonly head: number;
}

/** How many weights a decoder with these dimensions has. */
export function parameterCounts(dims: ModelDims): ParameterCounts {
  const { hidden, layers, intermediate, vocabulary, gated = true, biased = false } = dims;
  const { parallel = false, postNorms = false } = dims;
  const mixing = mixersOf(dims, layers).reduce((sum, one) => sum + mixerWeights(one, dims), 0);
  const norm = biased ? 2 * hidden : hidden;
  const feedForward = (gated ? 3 : 2) * hidden * intermediate + (biased ? intermediate + hidden : 0);
  return {
    layers: mixing + layers * (feedForward + ((parallel ? 1 : 2) + (postNorms ? 2 : 0)) * norm),
    head: norm + hidden * vocabulary + (biased ? vocabulary : 0),
  };
}

// The cost of each stage up to the first token, counted in multiplications from the dimensions alone: nothing is run.

/** Multiplications until the first token, and figures derived from them. */
export interface FirstTokenCosts {
  /** The encoder with its projector; 0 without one. */
  readonly encoder: number;
  /** The language model over the whole prompt. */
  readonly prefill: number;
  /** The encoder's share of both, from 0 to 1. */
  readonly encoderShare: number;
  /**
   * The maximum speedup of the first token from pruning after the encoder: if selection were free and no vision token
   * were kept.
   */
  readonly mostByTokens: number;
}

/**
 * Counts the multiplications until the first token.
 * @param textTokens text tokens of the prompt.
 * @param tiles how many tiles are encoded, including the overview. @default all
 */
export function firstTokenCosts(dims: ModelDims, textTokens: number, tiles?: number): FirstTokenCosts {
  const encoder = dims.encoder === undefined ? 0 : encoderCost(dims.encoder, dims.hidden, tiles);
  const prefill = prefillCost(dims, dims.visionTokens + textTokens);
  const whole = encoder + prefill;
  return {
    encoder,
    prefill,
    encoderShare: encoder / whole,
    mostByTokens: whole / (encoder + prefillCost(dims, textTokens)),
  };
}

/** Multiplications of an encoder and its projector for some of its tiles. */
function encoderCost(encoder: EncoderDims, outer: number, tiles: number = encoder.tiles): number {
  const tower = isConvolutional(encoder) ? towerCost(encoder) : transformerCost(encoder);
  const widths = [widthOf(encoder), ...encoder.projector, outer];
  const projector = widths.slice(1).reduce((sum, width, at) => sum + width * (widths[at] as number), 0);
  const inner = isConvolutional(encoder) ? undefined : encoder.gatedMerger;
  const merger = inner === undefined ? 0 : outer ** 2 + 3 * outer * inner;
  return tiles * (tower + tokensPerTile(encoder) * (projector + merger));
}

/**
 * By what the time of an encoder with only some of its layers is multiplied to get that of the whole: the ratio of their
 * multiplications, as the patch embedding and the projector are always built.
 * @param built layers that were built; of a convolutional tower, all are.
 */
export function encoderScale(encoder: EncoderDims, outer: number, built: number): number {
  if (isConvolutional(encoder)) return 1;
  return encoderCost(encoder, outer) / encoderCost({ ...encoder, layers: built }, outer);
}

/** Multiplications of a vision transformer for one tile, without the projector. */
function transformerCost(encoder: TransformerEncoder): number {
  const { hidden, layers, intermediate, gated, patchValues, grid, window } = encoder;
  const patches = grid[0] * grid[1];
  const dense = 4 * hidden ** 2 + (gated ? 3 : 2) * hidden * intermediate;
  const full = window === undefined ? layers : Math.floor(layers / window.fullEvery);
  const seen = full * patches + (layers - full) * (window?.side ?? 0) ** 2;
  return patches * (patchValues * hidden + layers * dense + 2 * hidden * seen);
}

/** Multiplications of the language model for a prompt; its head sees only the last token. */
function prefillCost(dims: ModelDims, tokens: number): number {
  const { layers, head } = parameterCounts(dims);
  const mixing = mixersOf(dims, dims.layers).reduce((sum, one) => sum + mixingCost(one, dims, tokens), 0);
  return layers * tokens + mixing + head;
}
