// A decoder of given dimensions with random weights, loaded and ready to be timed: over a prompt, and token by token. It samples no
// tokens.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelDims } from './dims.js';
import { addMixer } from './mixer-graphs.js';
import { emptyState, type LayerState, layerStates, mixerPeriod, mixersOf } from './mixers.js';
import {
  inTemporaryFolder,
  openSession,
  type SpeedRuntime,
  type SpeedSession,
  type SpeedTensor,
} from './runtime.js';
import { Sketch, type SpeedDtype } from './sketch.js';
import { RandomWeights, type WeightSource } from './weights.js';

/** What {@link RandomDecoder.build} takes. */
export interface DecoderOptions {
  readonly runtime: SpeedRuntime;
  readonly dims: ModelDims;
  /** Layers to build, which may be fewer than the model has: whole periods of its mixers. */
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

/** What the layers keep of all tokens so far. */
export interface Cache {
  readonly tensors: Readonly<Record<string, SpeedTensor>>;
  readonly tokens: number;
  readonly bytes: number;
}

/** The size that a decoder's weights file will have. All periods of its mixers have the same size. */
export function weightBytes({ layers, ...rest }: Pick<DecoderOptions, 'dims' | 'layers' | 'dtype'>): number {
  const period = mixerPeriod(rest.dims);
  const bytesOf = (count: number): number => {
    const weights = new RandomWeights('');
    decoderGraphs({ ...rest, layers: count, maxLength: 1, weights });
    return weights.bytes;
  };
  const one = bytesOf(period);
  return one + (layers / period - 1) * (bytesOf(2 * period) - one);
}

/** A decoder of given dimensions with random weights. */
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
      const layers = await openSession(runtime, paths.layers, device);
      try {
        return new RandomDecoder(options, layers, await openSession(runtime, paths.head, device));
      } catch (error) {
        await layers.release();
        throw error;
      }
    });
  }

  /** An empty cache. */
  emptyCache(): Cache {
    const { runtime, dtype } = this.options;
    const states = decoderStates(this.options);
    const empty = states.map((state) => [state.past, emptyState(state, dtype === 'fp16', runtime.Tensor)]);
    return { tensors: Object.fromEntries(empty), tokens: 0, bytes: 0 };
  }

  /** Runs embeddings `[tokens, D]` over a cache, up to the logits of the last token. */
  async run(embeddings: Float32Array, cache: Cache): Promise<Pass> {
    const { runtime, dims } = this.options;
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

    const states = decoderStates(this.options);
    const tensors = states.map(({ past, present }) => [past, presents[present] as SpeedTensor] as const);
    const lengths = states.flatMap(({ dims: named }, at) => {
      const axis = named.indexOf('past');
      return axis < 0 ? [] : [tensors[at]?.[1].dims[axis] as number];
    });
    return {
      layersMs: between - started,
      headMs: ended - between,
      cache: {
        tensors: Object.fromEntries(tensors),
        tokens: lengths[0] ?? total,
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

// A decoder with given dimensions as two ONNX graphs: its layers, and its head. It is built as exporters build it for ONNX
// Runtime, so that it runs like a real one.

/** Files of a decoder. */
export interface DecoderGraphs {
  /** `inputs_embeds`, `attention_mask`, and the states of the layers → `hidden` of the last token, and the new states. */
  readonly layers: Uint8Array;
  /** `hidden` → `logits`. */
  readonly head: Uint8Array;
}

/** What {@link decoderGraphs} takes. */
export interface GraphOptions {
  readonly dims: ModelDims;
  /** Layers to build, which may be fewer than the model has. */
  readonly layers: number;
  readonly dtype: SpeedDtype;
  /** Maximum sequence length. */
  readonly maxLength: number;
  readonly weights: WeightSource;
}

const ROTARY_BASE = 10_000;

/** Builds the graphs and reserves their weights. */
export function decoderGraphs(options: GraphOptions): DecoderGraphs {
  return { layers: layersGraph(options), head: headGraph(options) };
}

/** What the layers keep between calls. */
const decoderStates = ({ dims, layers }: Pick<GraphOptions, 'dims' | 'layers'>): LayerState[] =>
  mixersOf(dims, layers).flatMap((one, layer) => layerStates(one, dims, layer));

function layersGraph(options: GraphOptions): Uint8Array {
  const { dims, layers } = options;
  const { hidden, parallel = false, postNorms = false, biased = false } = dims;
  const g = new Sketch(options);
  const shared = [...sequenceLengths(g), ...rotaryTables(g, options)];
  let x = g.cast('embeddings', 'inputs_embeds');
  let normed = norm(g, 'layers.0.attention.norm', x, dims);
  const returned = (name: string, y: string): string =>
    postNorms ? norm(g, `${name}.post.norm`, y, dims) : y;
  for (const [layer, one] of mixersOf(dims, layers).entries()) {
    const name = `layers.${layer}`;
    const mixed = returned(`${name}.attention`, addMixer(g, one, { dims, layer, x: normed, shared }));
    let branch: string;
    if (parallel) {
      const fed = returned(`${name}.mlp`, feedForward(g, `${name}.mlp`, normed, dims));
      branch = g.op(`${name}.branches`, 'Add', [mixed, fed]);
    } else {
      ({ sum: x, normed } = g.addAndNorm(`${name}.mlp.norm`, [x, mixed], hidden, biased));
      branch = returned(`${name}.mlp`, feedForward(g, `${name}.mlp`, normed, dims));
    }
    if (layer === layers - 1) x = g.op('sum', 'Add', [x, branch]);
    else
      ({ sum: x, normed } = g.addAndNorm(`layers.${layer + 1}.attention.norm`, [x, branch], hidden, biased));
  }
  const last = g.list('last', -1);
  g.op('hidden', 'Gather', [x, last], { attributes: { axis: { int: 1 } } });

  const states = decoderStates(options);
  return g.encode(
    [
      { name: 'inputs_embeds', dtype: 'float32', dims: [1, 'fresh', hidden] },
      { name: 'attention_mask', dtype: 'int64', dims: [1, 'total'] },
      ...states.map(({ past, isCast, dims: shape }) => ({
        name: past,
        dtype: isCast ? g.float : ('float32' as const),
        dims: shape,
      })),
    ],
    [{ name: 'hidden' }, ...states.map(({ present }) => ({ name: present }))],
  );
}

function norm(g: Sketch, name: string, x: string, { hidden, biased = false }: ModelDims): string {
  return biased ? g.layerNorm(name, x, hidden) : g.norm(name, x, hidden);
}

function feedForward(g: Sketch, name: string, x: string, dims: ModelDims): string {
  const { hidden, intermediate, gated = true, biased = false } = dims;
  if (gated) return g.gatedBlock(name, x, hidden, intermediate);
  const up = g.project(`${name}.up`, x, [hidden, intermediate], biased);
  return g.project(`${name}.down`, g.gelu(`${name}.gelu`, up), [intermediate, hidden], biased);
}

/** The sequence length in the two forms that attention reads: tokens before the last, and total tokens. */
function sequenceLengths(g: Sketch): readonly string[] {
  const one = g.constant({ name: 'one', dtype: 'int64', dims: [], data: [1] });
  const axes = g.list('axes', 1);
  const seen = g.op('seen', 'ReduceSum', ['attention_mask', axes], { attributes: { keepdims: { int: 0 } } });
  const total = g.op('total', 'Gather', [g.op('shape', 'Shape', ['attention_mask']), one]);
  return [
    g.cast('before', g.op('before.wide', 'Sub', [seen, one]), 'int32'),
    g.cast('total.narrow', total, 'int32'),
  ];
}

/** Cosines and sines of the rotary embedding, `[length, headDim / 2]`. */
function rotaryTables(g: Sketch, { dims: { headDim }, maxLength }: GraphOptions): readonly string[] {
  const half = headDim / 2;
  const table = (name: string, wave: (angle: number) => number): string => {
    const data = Float32Array.from({ length: maxLength * half }, (_, at) => {
      const frequency = ROTARY_BASE ** (-(at % half) / half);
      return wave(Math.floor(at / half) * frequency);
    });
    const exact = g.constant({ name: `${name}.exact`, dtype: 'float32', dims: [maxLength, half], data });
    return g.cast(name, exact);
  };
  return [table('cos', Math.cos), table('sin', Math.sin)];
}

function headGraph(options: GraphOptions): Uint8Array {
  const { hidden, vocabulary, biased = false } = options.dims;
  const g = new Sketch(options);
  const normed = norm(g, 'norm', 'hidden', options.dims);
  const logits = g.project('head', normed, [hidden, vocabulary], biased);
  g.cast('logits', logits, 'float32');
  return g.encode([{ name: 'hidden', dtype: g.float, dims: [1, 1, hidden] }], [{ name: 'logits' }]);
}
