// Mixers as ONNX graphs, as exporters build them for ONNX Runtime.

import {
  type DeltaNetMixer,
  deltaWidths,
  type LayerState,
  layerStates,
  type Mixer,
  type MixerDims,
  type ShortConvMixer,
} from './mixers.js';
import { CONTRIB, type Sketch } from './sketch.js';

/** Where a mixer is built. */
export interface MixerPlace {
  readonly dims: MixerDims;
  readonly layer: number;
  /** Normalized tokens, `[1, fresh, D]`. */
  readonly x: string;
  /** What `GroupQueryAttention` reads after the cache: sequence lengths, and tables of cosines and sines. */
  readonly shared: readonly string[];
}

/** Adds a layer's mixer to a graph and returns its output, `[1, fresh, D]`. */
export function addMixer(g: Sketch, one: Mixer, place: MixerPlace): string {
  switch (one.mixer) {
    case 'attention':
      return attention(g, place);
    case 'deltaNet':
      return deltaNet(g, one, place);
    case 'shortConv':
      return shortConv(g, one, place);
  }
}

/** Grouped-query attention over the cache and the new tokens, in one operator as in exports for ONNX Runtime. */
function attention(g: Sketch, { dims, layer, x, shared }: MixerPlace): string {
  const { hidden, heads, keyValueHeads, headDim, attentionBias, biased = false } = dims;
  const { headNorms = false, outputGate = false } = dims;
  const name = `layers.${layer}.attention`;
  const projected = (kind: string, count: number): string => {
    const width = count * headDim;
    const plain = g.project(`${name}.${kind}`, x, [hidden, width], attentionBias);
    if (!headNorms || kind === 'v') return plain;
    const norm = `${name}.${kind}.norm`;
    return g.perHead(norm, plain, [count, headDim], (split) => g.norm(norm, split, headDim));
  };
  const [keys, values] = layerStates({ mixer: 'attention' }, dims, layer) as [LayerState, LayerState];
  const mixed = g.op(
    `${name}.mix`,
    'GroupQueryAttention',
    [
      projected('q', heads),
      projected('k', keyValueHeads),
      projected('v', keyValueHeads),
      keys.past,
      values.past,
      ...shared,
    ],
    {
      domain: CONTRIB,
      outputs: [`${name}.mixed`, keys.present, values.present],
      attributes: { num_heads: { int: heads }, kv_num_heads: { int: keyValueHeads }, do_rotary: { int: 1 } },
    },
  );
  const width = heads * headDim;
  const gated = outputGate
    ? g.op(`${name}.gated`, 'Mul', [
        mixed,
        g.op(`${name}.gate.open`, 'Sigmoid', [g.linear(`${name}.gate`, x, hidden, width)]),
      ])
    : mixed;
  return g.project(`${name}.o`, gated, [width, hidden], biased);
}

/** A causal convolution per channel over `x` `[1, fresh, channels]`, computed in 32 bits; returns the same shape. */
function causalConv(
  g: Sketch,
  name: string,
  x: string,
  {
    channels,
    kernel,
    isSilu,
    state,
  }: {
    readonly channels: number;
    readonly kernel: number;
    readonly isSilu: boolean;
    readonly state: LayerState;
  },
): string {
  const turned = g.turned(`${name}.turned`, g.cast(`${name}.wide`, x, 'float32'), 0, 2, 1);
  const convolved = g.op(
    name,
    'CausalConvWithState',
    [turned, g.floats(`${name}.weight`, [channels, 1, kernel], -1), '', state.past],
    {
      domain: CONTRIB,
      outputs: [`${name}.convolved`, state.present],
      attributes: { activation: { string: isSilu ? 'silu' : 'none' }, ndim: { int: 1 } },
    },
  );
  return g.turned(`${name}.back`, convolved, 0, 2, 1);
}

/**
 * As exporters for ONNX Runtime build it: the convolution and the recurrence are one operator each, which takes prompts and single
 * tokens alike. Both run in 32 bits, as in transformers.
 */
function deltaNet(g: Sketch, one: DeltaNetMixer, { dims, layer, x }: MixerPlace): string {
  const { keyHeads, valueHeads, keyDim, valueDim, kernel } = one;
  const { convolved, keys, values } = deltaWidths(one);
  const { hidden } = dims;
  const name = `layers.${layer}.delta`;
  const [window, recurrent] = layerStates(one, dims, layer) as [LayerState, LayerState];
  const mixed = causalConv(g, `${name}.conv`, g.linear(`${name}.qkv`, x, hidden, convolved), {
    channels: convolved,
    kernel,
    isSilu: true,
    state: window,
  });
  const parts = ['q', 'k', 'v'].map((kind) => `${name}.${kind}`) as [string, string, string];
  const [q, k, v] = parts;
  g.op(`${name}.parts`, 'Split', [mixed, g.list(`${name}.widths`, keys, keys, values)], {
    outputs: parts,
    attributes: { axis: { int: 2 } },
  });
  const projected = (kind: string): string =>
    g.cast(`${name}.${kind}.wide`, g.linear(`${name}.${kind}`, x, hidden, valueHeads), 'float32');
  const biased = g.op(`${name}.a.biased`, 'Add', [
    projected('a'),
    g.floats(`${name}.a.bias`, [valueHeads], 0),
  ]);
  const decay = g.op(`${name}.decay`, 'Mul', [
    g.op(`${name}.decay.time`, 'Softplus', [biased]),
    g.op(`${name}.decay.rate`, 'Neg', [g.floats(`${name}.rates`, [valueHeads], -1, false)]),
  ]);
  const beta = g.op(`${name}.beta`, 'Sigmoid', [projected('b')]);
  const read = g.op(
    `${name}.mix`,
    'LinearAttention',
    [
      unitHeads(g, `${name}.q.unit`, q, keyHeads, keyDim),
      unitHeads(g, `${name}.k.unit`, k, keyHeads, keyDim),
      v,
      recurrent.past,
      decay,
      beta,
    ],
    {
      domain: CONTRIB,
      outputs: [`${name}.mixed`, recurrent.present],
      attributes: {
        q_num_heads: { int: keyHeads },
        kv_num_heads: { int: valueHeads },
        update_rule: { string: 'gated_delta' },
      },
    },
  );
  const normed = g.perHead(`${name}.norm`, g.cast(`${name}.narrow`, read), [valueHeads, valueDim], (split) =>
    g.norm(`${name}.norm`, split, valueDim),
  );
  const gate = g.silu(`${name}.z.open`, g.linear(`${name}.z`, x, hidden, values));
  return g.linear(`${name}.o`, g.op(`${name}.gated`, 'Mul', [normed, gate]), values, hidden);
}

/** Scales each head of `x` `[1, fresh, heads · width]` to length 1, in 32 bits. */
function unitHeads(g: Sketch, name: string, x: string, heads: number, width: number): string {
  // The root mean square of a row of length 1 is 1 / √width.
  const data = new Float32Array(width).fill(width ** -0.5);
  const root = g.constant({ name: `${name}.root`, dtype: 'float32', dims: [width], data });
  return g.perHead(name, x, [heads, width], (split) =>
    g.op(name, 'SimplifiedLayerNormalization', [split, root], {
      attributes: { axis: { int: -1 }, epsilon: { float: 1e-6 / width }, stash_type: { int: 1 } },
    }),
  );
}

/** A third of the projection is the input, and two thirds gate it before and after the convolution. */
function shortConv(g: Sketch, { kernel }: ShortConvMixer, { dims, layer, x }: MixerPlace): string {
  const { hidden } = dims;
  const name = `layers.${layer}.short`;
  const [state] = layerStates({ mixer: 'shortConv', kernel }, dims, layer) as [LayerState];
  const parts = ['before', 'after', 'input'].map((kind) => `${name}.${kind}`) as [string, string, string];
  const [before, after, input] = parts;
  g.op(
    `${name}.parts`,
    'Split',
    [g.linear(`${name}.in`, x, hidden, 3 * hidden), g.list(`${name}.widths`, hidden, hidden, hidden)],
    { outputs: parts, attributes: { axis: { int: 2 } } },
  );
  const convolved = causalConv(g, `${name}.conv`, g.op(`${name}.gated`, 'Mul', [before, input]), {
    channels: hidden,
    kernel,
    isSilu: false,
    state,
  });
  const open = g.op(`${name}.open`, 'Mul', [after, g.cast(`${name}.narrow`, convolved)]);
  return g.linear(`${name}.out`, open, hidden, hidden);
}
