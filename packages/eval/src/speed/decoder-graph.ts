// A decoder of given dimensions as two ONNX graphs: its layers, and its head. Built as exporters build it for ONNX
// Runtime (grouped-query attention with rotary positions and cache in one operator), so that it runs as real ones do.

import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxValue } from '@mmtok/onnx';
import type { ModelDims } from './model-dims.js';
import type { RandomWeights } from './random-weights.js';

/** Precision of the weights; `q4` has four bits in blocks of 32 and computes in 32-bit floats. */
export type SpeedDtype = 'fp32' | 'fp16' | 'q4';

/** Files of a decoder. */
export interface DecoderGraphs {
  /** `inputs_embeds`, `attention_mask`, `past_key_values.*` → `hidden` of the last token, `present.*`. */
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
  /** The longest sequence there will be. */
  readonly maxLength: number;
  readonly weights: RandomWeights;
}

const CONTRIB = 'com.microsoft';
const EPSILON: OnnxAttribute = { float: 1e-5 };
const Q4_BLOCK = 32;
const ROTARY_BASE = 10_000;

/** Builds the graphs and reserves their weights. */
export function decoderGraphs(options: GraphOptions): DecoderGraphs {
  return { layers: layersGraph(options), head: headGraph(options) };
}

/** Nodes and constants of a graph that is being written. */
class Sketch {
  readonly float: 'float32' | 'float16';
  private readonly nodes: OnnxNode[] = [];
  private readonly constants: (OnnxTensor & { readonly name: string })[] = [];
  private readonly dtype: SpeedDtype;
  private readonly weights: RandomWeights;

  constructor({ dtype, weights }: GraphOptions) {
    this.dtype = dtype;
    this.weights = weights;
    this.float = dtype === 'fp16' ? 'float16' : 'float32';
  }

  /** Adds a node; its outputs are `name`, or those that are listed. */
  op(
    name: string,
    opType: string,
    inputs: readonly string[],
    more: Pick<OnnxNode, 'attributes' | 'domain'> & { readonly outputs?: readonly string[] } = {},
  ): string {
    const { outputs = [name], ...rest } = more;
    this.nodes.push({ name: `/${name}`, opType, inputs, outputs, ...rest });
    return outputs[0] as string;
  }

  constant(tensor: OnnxTensor & { readonly name: string }): string {
    this.constants.push(tensor);
    return tensor.name;
  }

  /** Numbers of a norm, near 1. */
  scale(name: string, width: number): string {
    return this.constant(this.weights.tensor(name, this.float, [width], { exponent: -1, isSigned: false }));
  }

  /** `x · W`, with W `[rows, columns]` of such numbers that x keeps its magnitude. */
  linear(name: string, x: string, rows: number, columns: number): string {
    const exponent = Math.round(-Math.log2(rows) / 2) - 1;
    if (this.dtype !== 'q4') {
      const matrix = this.weights.tensor(`${name}.weight`, this.float, [rows, columns], {
        exponent,
        isSigned: true,
      });
      return this.op(name, 'MatMul', [x, this.constant(matrix)]);
    }
    const blocks = Math.ceil(rows / Q4_BLOCK);
    const codes = this.weights.tensor(`${name}.weight`, 'uint8', [columns, blocks, Q4_BLOCK / 2]);
    // Codes stand for −8 … 7, so that their scales are smaller by two powers of two.
    const scales = this.weights.tensor(`${name}.scales`, 'float32', [columns * blocks], {
      exponent: exponent - 2,
      isSigned: false,
    });
    return this.op(name, 'MatMulNBits', [x, this.constant(codes), this.constant(scales)], {
      domain: CONTRIB,
      attributes: { K: { int: rows }, N: { int: columns }, bits: { int: 4 }, block_size: { int: Q4_BLOCK } },
    });
  }

  biased(name: string, x: string, width: number): string {
    const bias = this.weights.tensor(`${name}.bias`, this.float, [width], { exponent: -6, isSigned: true });
    return this.op(name, 'Add', [x, this.constant(bias)]);
  }

  norm(name: string, x: string, width: number): string {
    return this.op(name, 'SimplifiedLayerNormalization', [x, this.scale(`${name}.weight`, width)], {
      attributes: { axis: { int: -1 }, epsilon: EPSILON, stash_type: { int: 1 } },
    });
  }

  /** The sum of `x` and `branch`, as it is and normed. */
  addAndNorm(
    name: string,
    x: string,
    branch: string,
    width: number,
  ): { readonly sum: string; readonly normed: string } {
    const sum = `${name}.sum`;
    const normed = this.op(
      name,
      'SkipSimplifiedLayerNormalization',
      [x, branch, this.scale(`${name}.weight`, width)],
      { domain: CONTRIB, attributes: { epsilon: EPSILON }, outputs: [`${name}.normed`, '', '', sum] },
    );
    return { sum, normed };
  }

  encode(inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Uint8Array {
    const graph = { inputs, outputs, nodes: this.nodes, initializers: this.constants };
    return encodeModel({ graph, domains: { [CONTRIB]: 1 } });
  }
}

/** Names of a layer's cache. */
export const cacheNames = (layer: number): readonly (readonly [past: string, present: string])[] =>
  ['key', 'value'].map((kind) => [`past_key_values.${layer}.${kind}`, `present.${layer}.${kind}`]);

function layersGraph(options: GraphOptions): Uint8Array {
  const { dims, layers } = options;
  const { hidden, intermediate } = dims;
  const g = new Sketch(options);
  const float = castCode(g.float);
  const lengths = sequenceLengths(g);
  const rotary = rotaryTables(g, options);
  let x = g.op('embeddings', 'Cast', ['inputs_embeds'], { attributes: { to: { int: float } } });
  let normed = g.norm('layers.0.attention.norm', x, hidden);
  for (let layer = 0; layer < layers; layer++) {
    const name = `layers.${layer}`;
    const attended = attention(g, dims, layer, normed, [...lengths, ...rotary]);
    const middle = g.addAndNorm(`${name}.mlp.norm`, x, attended, hidden);
    const gate = g.linear(`${name}.mlp.gate`, middle.normed, hidden, intermediate);
    const up = g.linear(`${name}.mlp.up`, middle.normed, hidden, intermediate);
    const open = g.op(`${name}.mlp.silu`, 'Mul', [gate, g.op(`${name}.mlp.sigmoid`, 'Sigmoid', [gate])]);
    const gated = g.op(`${name}.mlp.gated`, 'Mul', [open, up]);
    const down = g.linear(`${name}.mlp.down`, gated, intermediate, hidden);
    if (layer === layers - 1) x = g.op('sum', 'Add', [middle.sum, down]);
    else ({ sum: x, normed } = g.addAndNorm(`layers.${layer + 1}.attention.norm`, middle.sum, down, hidden));
  }
  const last = g.constant({ name: 'last', dtype: 'int64', dims: [1], data: [-1] });
  g.op('hidden', 'Gather', [x, last], { attributes: { axis: { int: 1 } } });

  const cacheDims = [1, dims.keyValueHeads, 'past', dims.headDim];
  const caches = Array.from({ length: layers }, (_, layer) => cacheNames(layer)).flat();
  return g.encode(
    [
      { name: 'inputs_embeds', dtype: 'float32', dims: [1, 'fresh', hidden] },
      { name: 'attention_mask', dtype: 'int64', dims: [1, 'total'] },
      ...caches.map(([past]) => ({ name: past, dtype: g.float, dims: cacheDims })),
    ],
    [{ name: 'hidden' }, ...caches.map(([, present]) => ({ name: present }))],
  );
}

/** Attention of one layer, over the cache and what is new. */
function attention(g: Sketch, dims: ModelDims, layer: number, x: string, shared: readonly string[]): string {
  const { hidden, heads, keyValueHeads, headDim, attentionBias } = dims;
  const name = `layers.${layer}.attention`;
  const projected = (kind: string, width: number): string => {
    const plain = g.linear(`${name}.${kind}`, x, hidden, width);
    return attentionBias ? g.biased(`${name}.${kind}.biased`, plain, width) : plain;
  };
  const keysAndValues = keyValueHeads * headDim;
  const [keys, values] = cacheNames(layer) as [readonly [string, string], readonly [string, string]];
  const mixed = g.op(
    `${name}.mix`,
    'GroupQueryAttention',
    [
      projected('q', heads * headDim),
      projected('k', keysAndValues),
      projected('v', keysAndValues),
      keys[0],
      values[0],
      ...shared,
    ],
    {
      domain: CONTRIB,
      outputs: [`${name}.mixed`, keys[1], values[1]],
      attributes: { num_heads: { int: heads }, kv_num_heads: { int: keyValueHeads }, do_rotary: { int: 1 } },
    },
  );
  return g.linear(`${name}.o`, mixed, heads * headDim, hidden);
}

/** How long the sequence is, in the two forms that attention reads: tokens before the last, and tokens in all. */
function sequenceLengths(g: Sketch): readonly string[] {
  const toInt32 = { attributes: { to: { int: castCode('int32') } } };
  const one = g.constant({ name: 'one', dtype: 'int64', dims: [], data: [1] });
  const axes = g.constant({ name: 'axes', dtype: 'int64', dims: [1], data: [1] });
  const seen = g.op('seen', 'ReduceSum', ['attention_mask', axes], { attributes: { keepdims: { int: 0 } } });
  const total = g.op('total', 'Gather', [g.op('shape', 'Shape', ['attention_mask']), one]);
  return [
    g.op('before', 'Cast', [g.op('before.wide', 'Sub', [seen, one])], toInt32),
    g.op('total.narrow', 'Cast', [total], toInt32),
  ];
}

/** Cosines and sines of rotary positions, `[length, headDim / 2]`. */
function rotaryTables(g: Sketch, { dims: { headDim }, maxLength }: GraphOptions): readonly string[] {
  const half = headDim / 2;
  const table = (name: string, wave: (angle: number) => number): string => {
    const data = Float32Array.from({ length: maxLength * half }, (_, at) => {
      const frequency = ROTARY_BASE ** (-(at % half) / half);
      return wave(Math.floor(at / half) * frequency);
    });
    const exact = g.constant({ name: `${name}.exact`, dtype: 'float32', dims: [maxLength, half], data });
    return g.op(name, 'Cast', [exact], { attributes: { to: { int: castCode(g.float) } } });
  };
  return [table('cos', Math.cos), table('sin', Math.sin)];
}

function headGraph(options: GraphOptions): Uint8Array {
  const { hidden, vocabulary } = options.dims;
  const g = new Sketch(options);
  const logits = g.linear('head', g.norm('norm', 'hidden', hidden), hidden, vocabulary);
  g.op('logits', 'Cast', [logits], { attributes: { to: { int: castCode('float32') } } });
  return g.encode([{ name: 'hidden', dtype: g.float, dims: [1, 1, hidden] }], [{ name: 'logits' }]);
}

/** `TensorProto.DataType`, which Cast takes as a number. */
function castCode(dtype: 'float32' | 'float16' | 'int32'): number {
  return { float32: 1, int32: 6, float16: 10 }[dtype];
}
