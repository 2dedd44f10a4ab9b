// A vision encoder with given dimensions as one ONNX graph, from patches to projected tokens.

import { type EncoderDims, tokensPerTile } from './encoder-dims.js';
import { CONTRIB, Sketch, type SpeedDtype } from './graph-sketch.js';
import type { RandomWeights } from './random-weights.js';

/** What {@link encoderGraph} takes. */
export interface EncoderGraphOptions {
  readonly encoder: EncoderDims;
  /** Layers to build, which may be fewer than the encoder has. */
  readonly layers: number;
  readonly dtype: SpeedDtype;
  /** Width of the embeddings, D. */
  readonly hidden: number;
  readonly weights: RandomWeights;
}

/**
 * Builds the graph and reserves its weights: `patches` `[tiles, patches, values]` → `image_features` `[tiles, tokens, D]`.
 * Position embeddings are omitted, because the cost of adding them is negligible.
 */
export function encoderGraph(options: EncoderGraphOptions): Uint8Array {
  const { encoder, layers, hidden: outer } = options;
  const { hidden, intermediate, gated, patchValues } = encoder;
  const g = new Sketch(options);
  const norm = (name: string, x: string): string =>
    gated ? g.norm(name, x, hidden) : g.layerNorm(name, x, hidden);
  const dense = (name: string, x: string, rows: number, columns: number): string =>
    g.biased(`${name}.biased`, g.linear(name, x, rows, columns), columns);

  let x = dense('embed', g.cast('pixels', 'patches'), patchValues, hidden);
  for (let layer = 0; layer < layers; layer++) {
    const name = `layers.${layer}`;
    const attended = attention(g, encoder, layer, norm(`${name}.attention.norm`, x), dense);
    x = g.op(`${name}.attended`, 'Add', [x, attended]);
    const normed = norm(`${name}.mlp.norm`, x);
    const up = dense(`${name}.mlp.up`, normed, hidden, intermediate);
    // With an alpha of 1, QuickGelu is SiLU.
    const open = gated
      ? g.op(`${name}.mlp.gated`, 'Mul', [
          up,
          g.op(`${name}.mlp.silu`, 'QuickGelu', [dense(`${name}.mlp.gate`, normed, hidden, intermediate)], {
            domain: CONTRIB,
            attributes: { alpha: { float: 1 } },
          }),
        ])
      : g.op(`${name}.mlp.gelu`, 'FastGelu', [up], { domain: CONTRIB });
    x = g.op(`${name}.out`, 'Add', [x, dense(`${name}.mlp.down`, open, intermediate, hidden)]);
  }
  let token = merged(g, encoder, norm('post.norm', x));
  const widths = [hidden * encoder.merge ** 2, ...encoder.projector, outer];
  widths.slice(1).forEach((width, at) => {
    token = dense(`projector.${at}`, token, widths[at] as number, width);
    if (at < widths.length - 2) {
      token = g.op(`projector.${at}.gelu`, 'FastGelu', [token], { domain: CONTRIB });
    }
  });
  g.cast('image_features', token, 'float32');
  return g.encode(
    [{ name: 'patches', dtype: 'float32', dims: ['tiles', 'patches', patchValues] }],
    [{ name: 'image_features' }],
  );
}

/** Attention of one layer: within windows, or across all patches. */
function attention(
  g: Sketch,
  { hidden, heads, window, grid: [rows, columns] }: EncoderDims,
  layer: number,
  x: string,
  dense: (name: string, x: string, rows: number, columns: number) => string,
): string {
  const name = `layers.${layer}.attention`;
  const isWindowed = window !== undefined && layer % window.fullEvery !== window.fullEvery - 1;
  // The patches of a window are contiguous, as the processors of such models order them, so a reshape splits them into windows.
  const patches = isWindowed ? window.side ** 2 : rows * columns;
  const inner = isWindowed
    ? g.op(`${name}.windows`, 'Reshape', [x, g.list(`${name}.windows.shape`, -1, patches, hidden)])
    : x;
  const projected = ['q', 'k', 'v'].map((kind) => dense(`${name}.${kind}`, inner, hidden, hidden));
  const mixed = g.op(`${name}.mixed`, 'MultiHeadAttention', projected, {
    domain: CONTRIB,
    attributes: { num_heads: { int: heads } },
  });
  const out = dense(`${name}.o`, mixed, hidden, hidden);
  if (!isWindowed) return out;
  return g.op(`${name}.whole`, 'Reshape', [out, g.list(`${name}.shape`, -1, rows * columns, hidden)]);
}

/** Concatenates the patches of each square into one token, `[tiles, tokens, hidden · merge²]`, without the class token. */
function merged(g: Sketch, encoder: EncoderDims, x: string): string {
  const {
    hidden,
    merge,
    classToken,
    grid: [rows, columns],
  } = encoder;
  const patches = classToken
    ? g.op('without.class', 'Slice', [
        x,
        g.list('class.end', 1),
        g.list('patches.end', 1 + rows * columns),
        g.list('patches.axis', 1),
      ])
    : x;
  if (merge === 1) return patches;
  const cut = g.list('squares.shape', -1, rows / merge, merge, columns / merge, merge * hidden);
  const squares = g.op('squares.turned', 'Transpose', [g.op('squares', 'Reshape', [patches, cut])], {
    attributes: { perm: { ints: [0, 1, 3, 2, 4] } },
  });
  const flat = g.list('tokens.shape', -1, tokensPerTile(encoder), hidden * merge ** 2);
  return g.op('tokens', 'Reshape', [squares, flat]);
}
