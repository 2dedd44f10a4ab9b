// Root-mean-square normalization in basic operators, as exporters write it.
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { add, multiply } from '../graph/operators.js';

/** Normalises the last axis, of length `width`, by its root mean square. */
export function rmsNorm(g: GraphBuilder, x: Value, name: string, width: number): Value {
  const square = g.op('Pow', [x, g.float(2)], {}, `${name}/Pow`);
  const mean = g.op(
    'ReduceMean',
    [square],
    { axes: { ints: [-1] }, keepdims: { int: 1 } },
    `${name}/ReduceMean`,
  );
  const root = g.op('Sqrt', [add(g, mean, g.float(1e-6))], {}, `${name}/Sqrt`);
  const normed = g.op('Div', [x, root], {}, `${name}/Div`);
  return multiply(g, normed, g.uniform(`${name}.weight`, [width], 0.8, 1.2));
}
