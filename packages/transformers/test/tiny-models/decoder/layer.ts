// The inputs of every kind of decoder layer. A layer reads its own cache inputs and writes its own cache outputs.
import type { GraphBuilder, Value } from '../graph/graph-builder.js';

export interface LayerContext {
  /** Boolean, `[batch, 1, new, past + new]`: causal and without padding. */
  readonly mask: Value;
  /** Float, `[batch, new, 1]`: 0 where a new token is padding. */
  readonly present: Value;
}

/** Turns hidden states `[batch, new, HIDDEN]` into those of the next layer. */
export type Layer = (g: GraphBuilder, x: Value, index: number, context: LayerContext) => Value;
