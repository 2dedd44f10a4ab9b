// Projectors from vision features to the width of the language model. Pruning compares tokens by a projector's input.
import { HIDDEN } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { gelu, linear } from '../graph/operators.js';

const NAME = '/multi_modal_projector';

/** Two layers with a GELU between them: `[.., from]` to `[.., HIDDEN]`. */
export function mlpProjector(g: GraphBuilder, features: Value, from: number): Value {
  const hidden = gelu(
    g,
    linear(g, features, `${NAME}/linear_1`, [from, HIDDEN], { bias: true, gain: 1.5 }),
    `${NAME}/act`,
  );
  return linear(g, hidden, `${NAME}/linear_2`, [HIDDEN, HIDDEN], { bias: true, gain: 1.5 });
}

/** One layer: `[.., from]` to `[.., HIDDEN]`. */
export function linearProjector(
  g: GraphBuilder,
  features: Value,
  from: number,
  { bias = false } = {},
): Value {
  return linear(g, features, `${NAME}/linear`, [from, HIDDEN], { bias });
}
