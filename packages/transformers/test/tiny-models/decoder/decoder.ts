// A small, random causal decoder with the inputs and outputs that transformers.js expects.
import { HIDDEN, LAYERS, PER_LAYER, VOCABULARY } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import {
  add,
  cast,
  END,
  gather,
  layerNorm,
  length,
  linear,
  positionCode,
  range,
  slice,
  unsqueeze,
} from '../graph/operators.js';
import { FIRST_WORD_ID } from '../text/vocabulary.js';
import { attentionLayer } from './attention-layer.js';
import type { Layer } from './layer.js';

export interface DecoderOptions {
  /** One per layer. @default attention only */
  readonly layers?: readonly Layer[];
  /**
   * Where positions come from: an input `position_ids` `[batch, new]`, the same with three axes `[3, batch, new]`
   * (mRoPE), or the graph itself, which counts the attention mask.
   */
  readonly positions: 'position_ids' | 'mrope' | 'internal';
  /** Whether there is an input `per_layer_inputs` `[batch, new, LAYERS, PER_LAYER]`. */
  readonly perLayerInputs?: boolean;
  /** Whether there is an input `num_logits_to_keep`. */
  readonly numLogitsToKeep?: boolean;
  /** Whether the graph ends in logits or in hidden states, for a head in a file of its own. @default 'logits' */
  readonly head?: 'logits' | 'hidden_states';
}

/** Describes the decoder in `g`: embeddings in, logits and cache out. */
export function decoder(g: GraphBuilder, options: DecoderOptions): void {
  const { layers = new Array<Layer>(LAYERS).fill(attentionLayer) } = options;
  const embeddings = g.input('inputs_embeds', 'float32', ['batch_size', 'sequence_length', HIDDEN]);
  const attentionMask = g.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length']);
  const fresh = length(g, embeddings, 1);
  const total = length(g, attentionMask, 1);
  const past = g.op('Sub', [total, fresh]);

  const freshMask = slice(g, attentionMask, 1, past, END);
  const context = {
    mask: causalMask(g, attentionMask, past, total),
    present: unsqueeze(g, cast(g, freshMask, 'float32'), [2]),
  };
  const perLayer = options.perLayerInputs
    ? g.input('per_layer_inputs', 'float32', ['batch_size', 'sequence_length', layers.length, PER_LAYER])
    : undefined;

  let x = add(g, embeddings, positions(g, options.positions, attentionMask, past));
  for (const [index, layer] of layers.entries()) {
    x = layer(g, x, index, context);
    if (perLayer !== undefined) {
      const own = gather(g, perLayer, g.int(index), 2);
      x = add(g, x, linear(g, own, `/layers.${index}/per_layer`, [PER_LAYER, HIDDEN]));
    }
  }
  x = layerNorm(g, x, '/norm', HIDDEN);
  if (options.numLogitsToKeep) x = keepLast(g, x, fresh);
  if (options.head === 'hidden_states') g.output('hidden_states', x);
  else g.output('logits', languageModelHead(g, x));
}

/** Logits `[batch, n, VOCABULARY]`. Special tokens are all but impossible, so generation runs to its full length. */
export function languageModelHead(g: GraphBuilder, x: Value): Value {
  const bias = g.floats(
    'lm_head.bias',
    Array.from({ length: VOCABULARY }, (_, id) => (id < FIRST_WORD_ID ? -1e4 : 0)),
  );
  return add(g, linear(g, x, '/lm_head', [HIDDEN, VOCABULARY], { gain: 2 }), bias);
}

/** True where a new token may look: not ahead of itself and not at padding. */
function causalMask(g: GraphBuilder, attentionMask: Value, past: Value, total: Value): Value {
  const keys = range(g, total);
  const queries = unsqueeze(g, range(g, total, past), [1]);
  const causal = g.op('LessOrEqual', [keys, queries]);
  return g.op('And', [causal, unsqueeze(g, cast(g, attentionMask, 'bool'), [1, 2])]);
}

function positions(
  g: GraphBuilder,
  kind: DecoderOptions['positions'],
  attentionMask: Value,
  past: Value,
): Value {
  if (kind === 'position_ids') {
    const ids = g.input('position_ids', 'int64', ['batch_size', 'sequence_length']);
    return positionCode(g, ids, 'position', HIDDEN);
  }
  if (kind === 'mrope') {
    const ids = g.input('position_ids', 'int64', [3, 'batch_size', 'sequence_length']);
    const [time, height, width] = ['time', 'height', 'width'].map((axis, index) =>
      positionCode(g, gather(g, ids, g.int(index)), `position.${axis}`, HIDDEN),
    ) as [Value, Value, Value];
    return add(g, time, add(g, height, width));
  }
  const counted = g.op('CumSum', [attentionMask, g.int(1)], { exclusive: { int: 1 } });
  return positionCode(g, slice(g, counted, 1, past, END), 'position', HIDDEN);
}

/** The hidden states of the last `num_logits_to_keep` tokens, or of all if it is 0. */
function keepLast(g: GraphBuilder, x: Value, fresh: Value): Value {
  const keep = g.input('num_logits_to_keep', 'int64', []);
  const start = g.op('Sub', [fresh, keep]);
  const all = g.op('Equal', [keep, g.int(0)]);
  return slice(g, x, 1, g.op('Where', [all, g.ints([0]), start]), END);
}
