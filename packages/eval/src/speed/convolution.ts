// Convolutional vision towers: stages of convolutions and attention over square maps, as data, as costs, and as ONNX graphs.

import * as z from 'zod';
import type { Sketch } from './sketch.js';

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

const size = z.int('expected a whole number').positive('expected at least 1');

const opSchema = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('conv'),
    channels: size,
    kernel: size.refine((side) => side % 2 === 1, 'expected an odd number'),
    stride: size.optional(),
    depthwise: z.boolean().optional(),
    gelu: z.boolean().optional(),
  }),
  z.strictObject({ op: z.literal('attention'), heads: size, window: size.optional() }),
  z.strictObject({ op: z.literal('sharedAttention'), heads: size, headDim: size, keyStride: size }),
  z.strictObject({ op: z.literal('channelAttention'), groups: size }),
  z.strictObject({ op: z.literal('join'), stage: z.int().nonnegative() }),
  z.strictObject({ op: z.literal('pool'), side: size }),
]);

/** Checks a tower. */
export const convolutionalSchema: z.ZodType<ConvolutionalEncoder, ConvolutionalEncoder> = z
  .strictObject({
    title: z.string().min(1),
    imageSide: size,
    tiles: size,
    stages: z
      .array(
        z.array(
          z.strictObject({
            ops: z.array(opSchema).min(1),
            residual: z.boolean().optional(),
            repeat: size.optional(),
          }),
        ),
      )
      .min(1),
    projector: z.array(size),
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

// The graph.

/**
 * Adds a tower to a graph: `pixels` `[tiles, 3, side, side]` → the last map as rows, `[tiles, positions, channels]`. Norms are
 * omitted (exports fold most of them into the convolutions), and so is squeeze-and-excitation; neither takes much time.
 */
export function addTower(g: Sketch, encoder: ConvolutionalEncoder, pixels: string): string {
  let x = pixels;
  const ends: string[] = [];
  for (const [at, { stage, steps, residual }] of placedBlocks(encoder).entries()) {
    // The blocks before this one belong to earlier stages, so their last map is the end of the stage before.
    if (stage > ends.length) ends.push(x);
    let y = x;
    for (const [step, one] of steps.entries()) y = addStep(g, `stages.${stage}.${at}.${step}`, y, one, ends);
    x = residual ? g.op(`stages.${stage}.${at}.sum`, 'Add', [x, y]) : y;
  }
  return toRows(g, 'rows', x, lastMap(encoder));
}

function addStep(
  g: Sketch,
  name: string,
  x: string,
  { op, before, after }: TowerStep,
  ends: readonly string[],
): string {
  switch (op.op) {
    case 'conv': {
      const y = g.conv(name, x, before.channels, op);
      return op.gelu === true ? g.gelu(`${name}.gelu`, y) : y;
    }
    case 'pool':
      return g.op(name, 'AveragePool', [x], {
        attributes: { kernel_shape: { ints: [op.side, op.side] }, strides: { ints: [op.side, op.side] } },
      });
    case 'join': {
      const factor = after.side / before.side;
      const scales = g.constant({
        name: `${name}.scales`,
        dtype: 'float32',
        dims: [4],
        data: [1, 1, factor, factor],
      });
      const large = g.op(`${name}.large`, 'Resize', [x, '', scales], {
        attributes: { mode: { string: 'nearest' } },
      });
      return g.op(name, 'Concat', [large, ends[op.stage] as string], { attributes: { axis: { int: 1 } } });
    }
    case 'attention':
      return toMap(g, name, selfAttention(g, name, toRows(g, `${name}.in`, x, before), before, op), before);
    case 'sharedAttention':
      return toMap(g, name, sharedAttention(g, name, x, before, op), before);
    case 'channelAttention':
      return toMap(
        g,
        name,
        channelAttention(g, name, toRows(g, `${name}.in`, x, before), before, op.groups),
        before,
      );
  }
}

/** `[tiles, channels, side, side]` → `[tiles, positions, channels]` */
function toRows(g: Sketch, name: string, x: string, { channels, side }: MapShape): string {
  const flat = g.op(`${name}.flat`, 'Reshape', [x, g.list(`${name}.flat.shape`, -1, channels, side ** 2)]);
  return g.turned(`${name}.rows`, flat, 0, 2, 1);
}

/** `[tiles, positions, channels]` → `[tiles, channels, side, side]` */
function toMap(g: Sketch, name: string, rows: string, { channels, side }: MapShape): string {
  return g.op(`${name}.map`, 'Reshape', [
    g.turned(`${name}.turned`, rows, 0, 2, 1),
    g.list(`${name}.map.shape`, -1, channels, side, side),
  ]);
}

function selfAttention(
  g: Sketch,
  name: string,
  rows: string,
  { channels, side }: MapShape,
  { heads, window }: Extract<TowerOp, { readonly op: 'attention' }>,
): string {
  const regroup = (key: string, x: string, ...dims: readonly number[]): string => {
    const cut = g.op(`${key}.cut`, 'Reshape', [x, g.list(`${key}.cut.shape`, -1, ...dims, channels)]);
    return g.turned(`${key}.turned`, cut, 0, 1, 3, 2, 4, 5);
  };
  const count = side / (window ?? side);
  const inner =
    window === undefined
      ? rows
      : g.op(`${name}.windows`, 'Reshape', [
          regroup(`${name}.split`, rows, count, window, count, window),
          g.list(`${name}.windows.shape`, -1, window ** 2, channels),
        ]);
  const out = g.selfAttention(name, inner, channels, heads);
  if (window === undefined) return out;
  return g.op(`${name}.whole`, 'Reshape', [
    regroup(`${name}.join`, out, count, count, window, window),
    g.list(`${name}.whole.shape`, -1, side ** 2, channels),
  ]);
}

function sharedAttention(
  g: Sketch,
  name: string,
  x: string,
  before: MapShape,
  { heads, headDim, keyStride }: Extract<TowerOp, { readonly op: 'sharedAttention' }>,
): string {
  const { channels, side } = before;
  const small = { channels, side: Math.ceil(side / keyStride) };
  const key = (kind: string): string => {
    const source =
      keyStride === 1
        ? x
        : g.conv(`${name}.${kind}.small`, x, channels, {
            op: 'conv',
            channels,
            kernel: 3,
            stride: keyStride,
            depthwise: true,
          });
    return g.dense(`${name}.${kind}`, toRows(g, `${name}.${kind}.in`, source, small), channels, headDim);
  };
  const queries = g.dense(`${name}.q`, toRows(g, `${name}.q.in`, x, before), channels, heads * headDim);
  // All heads read the same keys, so they are more rows of one product.
  const split = g.op(`${name}.heads`, 'Reshape', [
    g.scaled(`${name}.q.scaled`, queries, headDim ** -0.5),
    g.list(`${name}.heads.shape`, -1, side ** 2 * heads, headDim),
  ]);
  const mixed = mixBy(g, name, split, g.turned(`${name}.k.turned`, key('k'), 0, 2, 1), key('v'));
  const joined = g.op(`${name}.joined`, 'Reshape', [
    mixed,
    g.list(`${name}.joined.shape`, -1, side ** 2, heads * headDim),
  ]);
  return g.dense(`${name}.o`, joined, heads * headDim, channels);
}

function channelAttention(
  g: Sketch,
  name: string,
  rows: string,
  { channels, side }: MapShape,
  groups: number,
): string {
  const projected = (kind: string, ...order: readonly number[]): string => {
    const grouped = g.op(`${name}.${kind}.groups`, 'Reshape', [
      g.dense(`${name}.${kind}`, rows, channels, channels),
      g.list(`${name}.${kind}.shape`, -1, side ** 2, groups, channels / groups),
    ]);
    return g.turned(`${name}.${kind}.turned`, grouped, ...order);
  };
  const queries = g.scaled(`${name}.q.scaled`, projected('q', 0, 2, 3, 1), 1 / side);
  const mixed = mixBy(g, name, queries, projected('k', 0, 2, 1, 3), projected('v', 0, 2, 3, 1));
  const joined = g.op(`${name}.joined`, 'Reshape', [
    g.turned(`${name}.mixed.turned`, mixed, 0, 3, 1, 2),
    g.list(`${name}.joined.shape`, -1, side ** 2, channels),
  ]);
  return g.dense(`${name}.o`, joined, channels, channels);
}

/** softmax(queries · keys) · values */
function mixBy(g: Sketch, name: string, queries: string, keys: string, values: string): string {
  const scores = g.op(`${name}.scores`, 'MatMul', [queries, keys]);
  const shares = g.op(`${name}.shares`, 'Softmax', [scores], { attributes: { axis: { int: -1 } } });
  return g.op(`${name}.mixed`, 'MatMul', [shares, values]);
}
