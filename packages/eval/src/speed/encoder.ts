// A vision encoder of given dimensions with random weights, loaded and ready to be timed over tiles of random patches.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '@mmtok/core/internal';
import { addTower } from './convolution-graphs.js';
import {
  type EncoderDims,
  encoderScale,
  isConvolutional,
  type TransformerEncoder,
  tokensPerTile,
  widthOf,
} from './dims.js';
import { inTemporaryFolder, openSession, type SpeedRuntime, type SpeedSession } from './runtime.js';
import { CONTRIB, Sketch, type SpeedDtype } from './sketch.js';
import { RandomWeights, type WeightSource } from './weights.js';

/** What {@link RandomEncoder.build} takes. */
export interface EncoderOptions {
  readonly runtime: SpeedRuntime;
  readonly encoder: EncoderDims;
  /** Layers to build; times are scaled up to all layers. Convolutional towers are always built whole. */
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

/** An encoder of given dimensions with random weights. */
export class RandomEncoder {
  private readonly options: EncoderOptions;
  private readonly session: SpeedSession;
  /** The pixels of one tile, generated once. */
  private readonly tile: Float32Array;

  private constructor(options: EncoderOptions, session: SpeedSession) {
    const random = createRandom(1);
    const values = tileDims(options.encoder).reduce((product, dim) => product * dim, 1);
    this.options = options;
    this.session = session;
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
      const session = await openSession(runtime, path, device);
      return new RandomEncoder(options, session);
    });
  }

  /**
   * Milliseconds to encode `tiles` tiles at the encoder's full depth. A subset takes two runs: the overview, then the
   * selected tiles. All tiles take one run.
   */
  async encode(tiles: number): Promise<number> {
    const { encoder, layers, hidden } = this.options;
    const parts = tiles < encoder.tiles && tiles > 1 ? [1, tiles - 1] : [tiles];
    let total = 0;
    for (const count of parts) total += await this.run(count);
    return total * encoderScale(encoder, hidden, layers);
  }

  /** Frees the encoder. */
  async dispose(): Promise<void> {
    await this.session.release();
  }

  private async run(tiles: number): Promise<number> {
    const { runtime, encoder } = this.options;
    const pixels = new Float32Array(tiles * this.tile.length);
    for (let at = 0; at < tiles; at++) pixels.set(this.tile, at * this.tile.length);
    const input = new runtime.Tensor('float32', pixels, [tiles, ...tileDims(encoder)]);
    const started = performance.now();
    await this.session.run({ [inputName(encoder)]: input });
    return performance.now() - started;
  }
}

/** What the graph's input is called: patches of a transformer, pixels of a convolutional tower. */
const inputName = (encoder: EncoderDims): string => (isConvolutional(encoder) ? 'pixels' : 'patches');

/** The shape of one tile: `[patches, values]`, or `[3, side, side]`. */
function tileDims(encoder: EncoderDims): readonly number[] {
  if (isConvolutional(encoder)) return [3, encoder.imageSide, encoder.imageSide];
  const { grid, classToken, patchValues } = encoder;
  return [grid[0] * grid[1] + (classToken ? 1 : 0), patchValues];
}

// The graph, from patches or pixels to projected tokens.

/** What {@link encoderGraph} takes. */
export interface EncoderGraphOptions {
  readonly encoder: EncoderDims;
  /** Layers to build, which may be fewer than the encoder has. */
  readonly layers: number;
  readonly dtype: SpeedDtype;
  /** Width of the embeddings, D. */
  readonly hidden: number;
  readonly weights: WeightSource;
}

/**
 * Builds the graph and reserves its weights: one tile or more, as {@link tileDims} shapes them → `image_features`
 * `[tiles, tokens, D]`.
 */
export function encoderGraph(options: EncoderGraphOptions): Uint8Array {
  const { encoder, hidden: outer } = options;
  const g = new Sketch(options);
  const name = inputName(encoder);
  const input = g.cast('input', name);
  let token = isConvolutional(encoder)
    ? addTower(g, encoder, input)
    : addTransformer(g, encoder, options.layers, input);
  const widths = [widthOf(encoder), ...encoder.projector, outer];
  widths.slice(1).forEach((width, at) => {
    token = g.dense(`projector.${at}`, token, widths[at] as number, width);
    if (at < widths.length - 2) token = g.gelu(`projector.${at}.gelu`, token);
  });
  if (!isConvolutional(encoder) && encoder.gatedMerger !== undefined) {
    token = addGatedMerger(g, token, outer, encoder.gatedMerger);
  }
  g.cast('image_features', token, 'float32');
  return g.encode(
    [{ name, dtype: 'float32', dims: ['tiles', ...tileDims(encoder)] }],
    [{ name: 'image_features' }],
  );
}

/** Adds the block after the projector of GLM-OCR. */
function addGatedMerger(g: Sketch, x: string, width: number, intermediate: number): string {
  const normed = g.layerNorm('merger.norm', g.linear('merger.in', x, width, width), width);
  const open = g.op('merger.gelu', 'Gelu', [normed], { domain: CONTRIB });
  return g.gatedBlock('merger', open, width, intermediate);
}

/**
 * Adds a vision transformer: patches `[tiles, patches, values]` → `[tiles, tokens, width]`. Embeddings of positions, rotary
 * ones included, are omitted, because they cost little.
 */
function addTransformer(g: Sketch, encoder: TransformerEncoder, layers: number, patches: string): string {
  const { hidden, intermediate, gated, postNorms = false, patchValues } = encoder;
  const norm = (name: string, x: string): string =>
    gated ? g.norm(name, x, hidden) : g.layerNorm(name, x, hidden);
  const returned = (name: string, y: string): string => (postNorms ? norm(`${name}.post.norm`, y) : y);
  let x = g.dense('embed', patches, patchValues, hidden);
  for (let layer = 0; layer < layers; layer++) {
    const name = `layers.${layer}`;
    const attended = attention(g, encoder, layer, norm(`${name}.attention.norm`, x));
    x = g.op(`${name}.attended`, 'Add', [x, returned(`${name}.attention`, attended)]);
    const normed = norm(`${name}.mlp.norm`, x);
    const up = g.dense(`${name}.mlp.up`, normed, hidden, intermediate);
    // With an alpha of 1, QuickGelu is SiLU.
    const open = gated
      ? g.op(`${name}.mlp.gated`, 'Mul', [
          up,
          g.op(`${name}.mlp.silu`, 'QuickGelu', [g.dense(`${name}.mlp.gate`, normed, hidden, intermediate)], {
            domain: CONTRIB,
            attributes: { alpha: { float: 1 } },
          }),
        ])
      : g.gelu(`${name}.mlp.gelu`, up);
    const down = g.dense(`${name}.mlp.down`, open, intermediate, hidden);
    x = g.op(`${name}.out`, 'Add', [x, returned(`${name}.mlp`, down)]);
  }
  return merged(g, encoder, norm('post.norm', x));
}

/** Attention of one layer: within windows, or across all patches. */
function attention(
  g: Sketch,
  { hidden, heads, headNorms, window, grid: [rows, columns] }: TransformerEncoder,
  layer: number,
  x: string,
): string {
  const name = `layers.${layer}.attention`;
  const isWindowed = window !== undefined && layer % window.fullEvery !== window.fullEvery - 1;
  // The patches of a window are contiguous, as the processors of such models order them, so a reshape splits them into windows.
  const patches = isWindowed ? window.side ** 2 : rows * columns;
  const inner = isWindowed
    ? g.op(`${name}.windows`, 'Reshape', [x, g.list(`${name}.windows.shape`, -1, patches, hidden)])
    : x;
  const out = g.selfAttention(name, inner, hidden, heads, headNorms);
  if (!isWindowed) return out;
  return g.op(`${name}.whole`, 'Reshape', [out, g.list(`${name}.shape`, -1, rows * columns, hidden)]);
}

/**
 * Turns patches into tokens, without the class token: averages squares of them, then concatenates those of each square,
 * `[tiles, tokens, hidden · merge²]`.
 */
function merged(g: Sketch, encoder: TransformerEncoder, x: string): string {
  const { hidden, merge, pool = 1, classToken, grid } = encoder;
  const patches = classToken
    ? g.op('without.class', 'Slice', [
        x,
        g.list('class.end', 1),
        g.list('patches.end', 1 + grid[0] * grid[1]),
        g.list('patches.axis', 1),
      ])
    : x;
  const [rows, columns] = [grid[0] / pool, grid[1] / pool];
  const pooled = pool === 1 ? patches : averaged(g, patches, [rows, columns], pool, hidden);
  if (merge === 1) return pooled;
  const cut = g.list('squares.shape', -1, rows / merge, merge, columns / merge, merge * hidden);
  const squares = g.turned('squares.turned', g.op('squares', 'Reshape', [pooled, cut]), 0, 1, 3, 2, 4);
  const flat = g.list('tokens.shape', -1, tokensPerTile(encoder), hidden * merge ** 2);
  return g.op('tokens', 'Reshape', [squares, flat]);
}

/** Averages squares of `pool × pool` patches: `[tiles, patches, hidden]` → `[tiles, rows · columns, hidden]`. */
function averaged(
  g: Sketch,
  x: string,
  [rows, columns]: readonly [number, number],
  pool: number,
  hidden: number,
): string {
  const cut = g.list('pool.shape', -1, rows, pool, columns, pool, hidden);
  const mean = g.op('pool.mean', 'ReduceMean', [g.op('pool.cut', 'Reshape', [x, cut])], {
    attributes: { axes: { ints: [2, 4] }, keepdims: { int: 0 } },
  });
  return g.op('pool', 'Reshape', [mean, g.list('pooled.shape', -1, rows * columns, hidden)]);
}
