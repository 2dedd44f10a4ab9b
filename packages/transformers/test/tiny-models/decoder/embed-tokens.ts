// The token embedding, which transformers.js runs separately so that image features can be inserted before the decoder.
import { HIDDEN, LAYERS, PER_LAYER, VOCABULARY } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { gather } from '../graph/operators.js';

/** Describes `embed_tokens` in `g`: `input_ids` in, `inputs_embeds` out, and per-layer embeddings where asked for. */
export function embedTokens(g: GraphBuilder, { perLayerInputs = false } = {}): void {
  const ids = g.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
  g.output('inputs_embeds', embed(g, ids));
  if (perLayerInputs) {
    const table = g.weight('embed_tokens_per_layer.weight', [VOCABULARY, LAYERS, PER_LAYER], 1);
    g.output('per_layer_inputs', gather(g, table, ids));
  }
}

/** The embeddings of token ids, `[.., HIDDEN]`. */
export function embed(g: GraphBuilder, ids: Value): Value {
  return gather(g, g.weight('embed_tokens.weight', [VOCABULARY, HIDDEN], 1), ids);
}
