// A causal depth-wise convolution with a cache of its last inputs, as hybrid decoders have it.
import { HIDDEN } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { concat, END, multiply, slice, transpose } from '../graph/operators.js';

/** Tokens that one output sees; also the length of the cache, as exports have it. */
const KERNEL = 3;

/**
 * Convolves `[batch, new, HIDDEN]` over time. Reads the cache `past_conv.${index}` `[batch, HIDDEN, KERNEL]` and writes
 * `present_conv.${index}`. `present` is 0 at padding.
 */
export function causalConvolution(
  g: GraphBuilder,
  x: Value,
  index: number,
  name: string,
  present: Value,
): Value {
  const past = g.input(`past_conv.${index}`, 'float32', ['batch_size', HIDDEN, KERNEL]);
  const all = concat(g, [past, transpose(g, multiply(g, x, present), [0, 2, 1])], 2);
  g.output(`present_conv.${index}`, slice(g, all, 2, -KERNEL, END));
  const kernel = g.weight(`${name}.weight`, [HIDDEN, 1, KERNEL], 0.6);
  const convolved = g.op(
    'Conv',
    [slice(g, all, 2, 1, END), kernel],
    { kernel_shape: { ints: [KERNEL] }, group: { int: HIDDEN } },
    `${name}/Conv`,
  );
  return transpose(g, convolved, [0, 2, 1]);
}
