// Convolutional vision towers as ONNX graphs.

import {
  type ConvolutionalEncoder,
  lastMap,
  type MapShape,
  placedBlocks,
  type TowerOp,
  type TowerStep,
} from './convolution.js';
import type { Sketch } from './sketch.js';

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
