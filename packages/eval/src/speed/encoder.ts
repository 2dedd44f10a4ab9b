// A vision encoder of given dimensions with random weights, loaded and ready to be timed over tiles of random patches.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '@mmtok/core/internal';
import { type EncoderDims, tokensPerTile } from './dims.js';
import { inTemporaryFolder, type SpeedRuntime, type SpeedSession } from './runtime.js';
import { CONTRIB, RandomWeights, Sketch, type SpeedDtype } from './sketch.js';

/** What {@link RandomEncoder.build} takes. */
export interface EncoderOptions {
  readonly runtime: SpeedRuntime;
  readonly encoder: EncoderDims;
  /** Layers to build; times are scaled up to all layers. */
  readonly layers: number;
  readonly dtype: SpeedDtype;
  /** Width of the embeddings, D. */
  readonly hidden: number;
  /** An execution provider. */
  readonly device: string;
  /** Called with the number of bytes of weights written so far. */
  readonly onWritten: (bytes: number) => void;
}

/** The size that an encoder's weights file will have. */
export function encoderBytes(
  options: Pick<EncoderOptions, 'encoder' | 'layers' | 'dtype' | 'hidden'>,
): number {
  const weights = new RandomWeights('');
  encoderGraph({ ...options, weights });
  return weights.bytes;
}

/** See the top of the file. */
export class RandomEncoder {
  private readonly options: EncoderOptions;
  private readonly session: SpeedSession;
  /** The patches of one tile, generated once. */
  private readonly tile: Float32Array;

  private constructor(options: EncoderOptions, session: SpeedSession) {
    const { grid, classToken, patchValues } = options.encoder;
    const random = createRandom(1);
    this.options = options;
    this.session = session;
    const values = (grid[0] * grid[1] + (classToken ? 1 : 0)) * patchValues;
    this.tile = Float32Array.from({ length: values }, () => 2 * random() - 1);
  }

  /** Writes the encoder into a temporary folder, loads it, and removes the folder. */
  static async build(options: EncoderOptions): Promise<RandomEncoder> {
    const { runtime, device, onWritten } = options;
    return await inTemporaryFolder('mmtok-speed-', async (folder) => {
      const weights = new RandomWeights('weights.bin');
      const path = join(folder, 'encoder.onnx');
      await writeFile(path, encoderGraph({ ...options, weights }));
      await weights.write(join(folder, weights.location), onWritten);
      const session = await runtime.InferenceSession.create(path, { executionProviders: [device] });
      return new RandomEncoder(options, session);
    });
  }

  /**
   * Milliseconds to encode `tiles` tiles at the encoder's full depth. A subset takes two runs: the overview, then the
   * selected tiles. All tiles take one run.
   */
  async encode(tiles: number): Promise<number> {
    const { encoder, layers } = this.options;
    const parts = tiles < encoder.tiles && tiles > 1 ? [1, tiles - 1] : [tiles];
    let total = 0;
    for (const count of parts) total += await this.run(count);
    return (total * encoder.layers) / layers;
  }

  /** Frees the encoder. */
  async dispose(): Promise<void> {
    await this.session.release();
  }

  private async run(tiles: number): Promise<number> {
    const { runtime, encoder } = this.options;
    const pixels = new Float32Array(tiles * this.tile.length);
    for (let at = 0; at < tiles; at++) pixels.set(this.tile, at * this.tile.length);
    const dims = [tiles, this.tile.length / encoder.patchValues, encoder.patchValues];
    const patches = new runtime.Tensor('float32', pixels, dims);
    const started = performance.now();
    await this.session.run({ patches });
    return performance.now() - started;
  }
}

// A vision encoder with given dimensions as one ONNX graph, from patches to projected tokens.

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
