// A vision encoder with random weights, loaded and ready to be timed over tiles of random patches.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '@mmtok/core/internal';
import type { EncoderDims } from './encoder-dims.js';
import { encoderGraph } from './encoder-graph.js';
import type { SpeedDtype } from './graph-sketch.js';
import { RandomWeights } from './random-weights.js';
import type { SpeedRuntime, SpeedSession } from './speed-runtime.js';
import { inTemporaryFolder } from './temporary-folder.js';

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
