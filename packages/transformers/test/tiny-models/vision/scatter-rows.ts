// Puts image features into text embeddings inside a graph, for families whose merge is exported and not done in JavaScript.
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { transpose } from '../graph/operators.js';

/** `embeddings` `[batch, n, width]` with the rows where `mask` `[batch, n]` is true replaced by `rows` in order. */
export function scatterRows(g: GraphBuilder, embeddings: Value, mask: Value, rows: Value): Value {
  const places = transpose(g, g.op('NonZero', [mask]), [1, 0]);
  return g.op('ScatterND', [embeddings, places, rows]);
}
