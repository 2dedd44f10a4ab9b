// A decoder layer of causal self-attention with a key-value cache.
import { HEAD_DIM, HEADS, HIDDEN } from '../dimensions.js';
import { add, concat, feedForward, layerNorm } from '../graph/operators.js';
import { attend, heads, joinHeads } from './attention.js';
import type { Layer } from './layer.js';

export const attentionLayer: Layer = (g, x, index, { mask }) => {
  const name = `/layers.${index}`;
  const normed = layerNorm(g, x, `${name}/attention/norm`, HIDDEN);
  const cached = (kind: 'key' | 'value', fresh: string): string => {
    const past = g.input(`past_key_values.${index}.${kind}`, 'float32', [
      'batch_size',
      HEADS,
      'past_sequence_length',
      HEAD_DIM,
    ]);
    const all = concat(g, [past, fresh], 2);
    g.output(`present.${index}.${kind}`, all);
    return all;
  };
  const key = cached('key', heads(g, normed, `${name}/attention/k_proj`));
  const value = cached('value', heads(g, normed, `${name}/attention/v_proj`));
  const mixed = attend(g, heads(g, normed, `${name}/attention/q_proj`), key, value, mask);
  return feedForward(g, add(g, x, joinHeads(g, mixed, `${name}/attention/o_proj`)), `${name}/mlp`, HIDDEN);
};
