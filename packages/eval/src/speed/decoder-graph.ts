// A decoder with given dimensions as two ONNX graphs: its layers, and its head. It is built as exporters build it for ONNX
// Runtime (grouped-query attention with rotary positions and cache in one operator), so that it runs like a real one.

import { CONTRIB, Sketch, type SpeedDtype } from './graph-sketch.js';
import type { ModelDims } from './model-dims.js';
import type { RandomWeights } from './random-weights.js';

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
  /** Maximum sequence length. */
  readonly maxLength: number;
  readonly weights: RandomWeights;
}

const ROTARY_BASE = 10_000;

/** Builds the graphs and reserves their weights. */
export function decoderGraphs(options: GraphOptions): DecoderGraphs {
  return { layers: layersGraph(options), head: headGraph(options) };
}

/** Names of a layer's cache. */
export const cacheNames = (layer: number): readonly (readonly [past: string, present: string])[] =>
  ['key', 'value'].map((kind) => [`past_key_values.${layer}.${kind}`, `present.${layer}.${kind}`]);

function layersGraph(options: GraphOptions): Uint8Array {
  const { dims, layers } = options;
  const { hidden, intermediate } = dims;
  const g = new Sketch(options);
  const lengths = sequenceLengths(g);
  const rotary = rotaryTables(g, options);
  let x = g.cast('embeddings', 'inputs_embeds');
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
  const last = g.list('last', -1);
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

/** Attention of one layer, over the cache and the new tokens. */
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
  const { hidden, vocabulary } = options.dims;
  const g = new Sketch(options);
  const logits = g.linear('head', g.norm('norm', 'hidden', hidden), hidden, vocabulary);
  g.cast('logits', logits, 'float32');
  return g.encode([{ name: 'hidden', dtype: g.float, dims: [1, 1, hidden] }], [{ name: 'logits' }]);
}
