// A decoder layer of linear attention after a short convolution (Qwen 3.5). The past is one matrix per head, of fixed size.
import { HEAD_DIM, HEADS, HIDDEN } from '../dimensions.js';
import {
  add,
  cast,
  feedForward,
  layerNorm,
  length,
  multiply,
  range,
  transpose,
  unsqueeze,
} from '../graph/operators.js';
import { heads, joinHeads } from './attention.js';
import { causalConvolution } from './causal-convolution.js';
import type { Layer } from './layer.js';

export const linearAttentionLayer: Layer = (g, x, index, { present }) => {
  const name = `/layers.${index}`;
  const normed = layerNorm(g, x, `${name}/linear_attention/norm`, HIDDEN);
  const local = causalConvolution(g, normed, index, `${name}/linear_attention/conv`, present);
  const query = heads(g, local, `${name}/linear_attention/q_proj`);
  const key = multiply(g, heads(g, local, `${name}/linear_attention/k_proj`), unsqueeze(g, present, [1]));
  const value = heads(g, local, `${name}/linear_attention/v_proj`);

  // What came before adds up in a matrix of keys by values; what is new is weighed token by token.
  const keyT = transpose(g, key, [0, 1, 3, 2]);
  const past = g.input(`past_recurrent.${index}`, 'float32', ['batch_size', HEADS, HEAD_DIM, HEAD_DIM]);
  g.output(`present_recurrent.${index}`, add(g, past, g.op('MatMul', [keyT, value])));
  const order = range(g, length(g, x, 1));
  const causal = cast(g, g.op('LessOrEqual', [order, unsqueeze(g, order, [1])]), 'float32');
  const scores = multiply(g, g.op('MatMul', [query, keyT]), causal);
  const read = add(g, g.op('MatMul', [scores, value]), g.op('MatMul', [query, past]));

  const mixed = joinHeads(
    g,
    layerNorm(g, read, `${name}/linear_attention/out_norm`, HEAD_DIM),
    `${name}/linear_attention/o_proj`,
  );
  return feedForward(g, add(g, x, mixed), `${name}/mlp`, HIDDEN);
};
