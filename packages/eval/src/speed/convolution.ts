// Convolutional vision towers: stages of convolutions and attention over square maps. As data and as costs.

import * as z from 'zod';
import { positiveInt } from './schemas.js';

/** A convolution, padded so that only its stride changes the map's side. */
export interface ConvolutionOp {
  readonly op: 'conv';
  /** Output channels. */
  readonly channels: number;
  readonly kernel: number;
  /** @default 1 */
  readonly stride?: number | undefined;
  /** One group per input channel. @default one group */
  readonly depthwise?: boolean | undefined;
  /** Whether GELU follows. @default false */
  readonly gelu?: boolean | undefined;
}

/** One operation on a map `[channels, side, side]`. */
export type TowerOp =
  | ConvolutionOp
  /** Self-attention over all positions, or within windows of `window × window`. */
  | { readonly op: 'attention'; readonly heads: number; readonly window?: number | undefined }
  /** Attention whose heads share one key and value per position of a map that `keyStride` makes smaller. */
  | {
      readonly op: 'sharedAttention';
      readonly heads: number;
      readonly headDim: number;
      readonly keyStride: number;
    }
  /** Attention between the channels of each of `groups` groups. */
  | { readonly op: 'channelAttention'; readonly groups: number }
  /** Enlarges the map to that at the end of an earlier stage (0 is the first), and appends that one's channels. */
  | { readonly op: 'join'; readonly stage: number }
  /** Averages squares of `side × side`. */
  | { readonly op: 'pool'; readonly side: number };

/** Operations that run one after another. */
export interface TowerBlock {
  readonly ops: readonly TowerOp[];
  /** Whether the block's input is added to its output. @default false */
  readonly residual?: boolean | undefined;
  /** @default 1 */
  readonly repeat?: number | undefined;
}

/** A convolutional tower with its projector, and its square input image. Each position of the last map is a vision token. */
export interface ConvolutionalEncoder {
  /** Display name, e.g. `'FastViTHD-1024'`. */
  readonly title: string;
  /** Side of a tile, or of the whole image if it is not tiled, in pixels. */
  readonly imageSide: number;
  /** Images of one prompt. */
  readonly tiles: number;
  readonly stages: readonly (readonly TowerBlock[])[];
  /** Widths of the projector's hidden layers; if empty, the projector is a single linear layer. */
  readonly projector: readonly number[];
}

const opSchema = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('conv'),
    channels: positiveInt,
    kernel: positiveInt.refine((side) => side % 2 === 1, 'expected an odd number'),
    stride: positiveInt.optional(),
    depthwise: z.boolean().optional(),
    gelu: z.boolean().optional(),
  }),
  z.strictObject({ op: z.literal('attention'), heads: positiveInt, window: positiveInt.optional() }),
  z.strictObject({
    op: z.literal('sharedAttention'),
    heads: positiveInt,
    headDim: positiveInt,
    keyStride: positiveInt,
  }),
  z.strictObject({ op: z.literal('channelAttention'), groups: positiveInt }),
  z.strictObject({ op: z.literal('join'), stage: z.int().nonnegative() }),
  z.strictObject({ op: z.literal('pool'), side: positiveInt }),
]);

/** Checks a tower. */
export const convolutionalSchema: z.ZodType<ConvolutionalEncoder, ConvolutionalEncoder> = z
  .strictObject({
    title: z.string().min(1),
    imageSide: positiveInt,
    tiles: positiveInt,
    stages: z
      .array(
        z.array(
          z.strictObject({
            ops: z.array(opSchema).min(1),
            residual: z.boolean().optional(),
            repeat: positiveInt.optional(),
          }),
        ),
      )
      .min(1),
    projector: z.array(positiveInt),
  })
  .refine(
    ({ stages }) =>
      stages.every((blocks, at) =>
        blocks.every(({ ops }) => ops.every((one) => one.op !== 'join' || one.stage < at)),
      ),
    'expected join to name an earlier stage',
  );

/** The shape of a square map. */
export interface MapShape {
  readonly channels: number;
  readonly side: number;
}

/** An operation with the map before and after it. */
export interface TowerStep {
  readonly op: TowerOp;
  readonly before: MapShape;
  readonly after: MapShape;
}

/** A block with the shapes of its maps. */
export interface PlacedBlock {
  readonly stage: number;
  readonly steps: readonly TowerStep[];
  readonly residual: boolean;
}

/** The blocks of a tower in order, repeats written out, with the shapes of all maps. */
export function placedBlocks({ imageSide, stages }: ConvolutionalEncoder): PlacedBlock[] {
  let shape: MapShape = { channels: 3, side: imageSide };
  const ends: MapShape[] = [];
  return stages.flatMap((blocks, stage) => {
    const placed = blocks.flatMap(({ ops, residual = false, repeat = 1 }) =>
      Array.from({ length: repeat }, (): PlacedBlock => {
        const steps = ops.map((op): TowerStep => {
          const before = shape;
          shape = shapeAfter(op, before, ends);
          return { op, before, after: shape };
        });
        return { stage, steps, residual };
      }),
    );
    ends.push(shape);
    return placed;
  });
}

function shapeAfter(op: TowerOp, before: MapShape, ends: readonly MapShape[]): MapShape {
  switch (op.op) {
    case 'conv':
      return { channels: op.channels, side: Math.ceil(before.side / (op.stride ?? 1)) };
    case 'pool':
      return { ...before, side: before.side / op.side };
    case 'join': {
      const end = ends[op.stage] as MapShape;
      return { channels: before.channels + end.channels, side: end.side };
    }
    default:
      return before;
  }
}

/** The last map: as many vision tokens as positions, as wide as it has channels. */
export function lastMap(encoder: ConvolutionalEncoder): MapShape {
  return placedBlocks(encoder).at(-1)?.steps.at(-1)?.after as MapShape;
}

/** Multiplications of a tower for one image, without the projector. */
export function towerCost(encoder: ConvolutionalEncoder): number {
  return placedBlocks(encoder)
    .flatMap(({ steps }) => steps)
    .reduce((total, step) => total + costOf(step), 0);
}

function costOf({ op, before, after }: TowerStep): number {
  const positions = before.side ** 2;
  const { channels } = before;
  switch (op.op) {
    case 'conv':
      return after.side ** 2 * op.channels * (op.depthwise ? 1 : channels) * op.kernel ** 2;
    case 'attention':
      return positions * channels * (4 * channels + 2 * (op.window ?? before.side) ** 2);
    case 'sharedAttention': {
      const keys = Math.ceil(before.side / op.keyStride) ** 2;
      const shrinking = op.keyStride === 1 ? 0 : 9 * channels;
      return (
        2 * positions * op.heads * op.headDim * (channels + keys) +
        2 * keys * (channels * op.headDim + shrinking)
      );
    }
    case 'channelAttention':
      return positions * channels * (4 * channels + (2 * channels) / op.groups);
    default:
      return 0;
  }
}
