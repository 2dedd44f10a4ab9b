// A decoder with random weights, loaded and ready to be timed: over a prompt, and token by token. It samples no tokens.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheNames, decoderGraphs } from './decoder-graph.js';
import type { SpeedDtype } from './graph-sketch.js';
import type { ModelDims } from './model-dims.js';
import { RandomWeights } from './random-weights.js';
import type { SpeedRuntime, SpeedSession, SpeedTensor } from './speed-runtime.js';
import { inTemporaryFolder } from './temporary-folder.js';

/** What {@link RandomDecoder.build} takes. */
export interface DecoderOptions {
  readonly runtime: SpeedRuntime;
  readonly dims: ModelDims;
  /** Layers to build, which may be fewer than the model has. */
  readonly layers: number;
  readonly dtype: SpeedDtype;
  /** An execution provider. */
  readonly device: string;
  /** Maximum sequence length. */
  readonly maxLength: number;
  /** Called with the number of bytes of weights written so far. */
  readonly onWritten: (bytes: number) => void;
  /** Called when all files are written and loading starts. */
  readonly onLoad: () => void;
}

/** The time of one pass, and the resulting cache. */
export interface Pass {
  /** For the layers that were built. */
  readonly layersMs: number;
  readonly headMs: number;
  readonly cache: Cache;
}

/** Keys and values of all tokens so far. */
export interface Cache {
  readonly tensors: Readonly<Record<string, SpeedTensor>>;
  readonly tokens: number;
  readonly bytes: number;
}

/** The size that a decoder's weights file will have. All layers have the same size. */
export function weightBytes({ layers, ...rest }: Pick<DecoderOptions, 'dims' | 'layers' | 'dtype'>): number {
  const bytesOf = (count: number): number => {
    const weights = new RandomWeights('');
    decoderGraphs({ ...rest, layers: count, maxLength: 1, weights });
    return weights.bytes;
  };
  const one = bytesOf(1);
  return one + (layers - 1) * (bytesOf(2) - one);
}

/** See the top of the file. */
export class RandomDecoder {
  private readonly options: DecoderOptions;
  private readonly layers: SpeedSession;
  private readonly head: SpeedSession;

  private constructor(options: DecoderOptions, layers: SpeedSession, head: SpeedSession) {
    this.options = options;
    this.layers = layers;
    this.head = head;
  }

  /** Writes the decoder into a temporary folder, loads it, and removes the folder. */
  static async build(options: DecoderOptions): Promise<RandomDecoder> {
    const { runtime, device, onWritten, onLoad } = options;
    return await inTemporaryFolder('mmtok-speed-', async (folder) => {
      const weights = new RandomWeights('weights.bin');
      const graphs = decoderGraphs({ ...options, weights });
      const paths = { layers: join(folder, 'layers.onnx'), head: join(folder, 'head.onnx') };
      await writeFile(paths.layers, graphs.layers);
      await writeFile(paths.head, graphs.head);
      await weights.write(join(folder, weights.location), onWritten);
      onLoad();
      const load = (path: string): Promise<SpeedSession> =>
        runtime.InferenceSession.create(path, { executionProviders: [device] });
      const layers = await load(paths.layers);
      try {
        return new RandomDecoder(options, layers, await load(paths.head));
      } catch (error) {
        await layers.release();
        throw error;
      }
    });
  }

  /** An empty cache. */
  emptyCache(): Cache {
    const { runtime, dims, layers, dtype } = this.options;
    const isHalf = dtype === 'fp16';
    const shape = [1, dims.keyValueHeads, 0, dims.headDim];
    const names = Array.from({ length: layers }, (_, layer) => cacheNames(layer)).flat();
    const empty = (): SpeedTensor =>
      isHalf
        ? new runtime.Tensor('float16', new Uint16Array(0), shape)
        : new runtime.Tensor('float32', new Float32Array(0), shape);
    return { tensors: Object.fromEntries(names.map(([past]) => [past, empty()])), tokens: 0, bytes: 0 };
  }

  /** Runs embeddings `[tokens, D]` over a cache, up to the logits of the last token. */
  async run(embeddings: Float32Array, cache: Cache): Promise<Pass> {
    const { runtime, dims, layers } = this.options;
    const fresh = embeddings.length / dims.hidden;
    const total = cache.tokens + fresh;
    const feeds = {
      ...cache.tensors,
      inputs_embeds: new runtime.Tensor('float32', embeddings, [1, fresh, dims.hidden]),
      attention_mask: new runtime.Tensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
    };
    const started = performance.now();
    const { hidden, ...presents } = await this.layers.run(feeds);
    const between = performance.now();
    await this.head.run({ hidden: hidden as SpeedTensor });
    const ended = performance.now();

    const names = Array.from({ length: layers }, (_, layer) => cacheNames(layer)).flat();
    const tensors = names.map(([past, present]) => [past, presents[present] as SpeedTensor] as const);
    return {
      layersMs: between - started,
      headMs: ended - between,
      cache: {
        tensors: Object.fromEntries(tensors),
        tokens: tensors[0]?.[1].dims[2] ?? 0,
        bytes: tensors.reduce((sum, [, { data }]) => sum + (data as ArrayBufferView).byteLength, 0),
      },
    };
  }

  /** Frees the decoder. */
  async dispose(): Promise<void> {
    await this.layers.release();
    await this.head.release();
  }
}
