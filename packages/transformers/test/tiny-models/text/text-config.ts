// The keys of a language model's config that transformers.js reads, with the sizes of the tiny decoders.
import { HEAD_DIM, HEADS, HIDDEN, LAYERS, VOCABULARY } from '../dimensions.js';
import type { Json } from '../family.js';

/** Config of a decoder-only language model, without `model_type`. */
export const TEXT_CONFIG: Json = {
  hidden_size: HIDDEN,
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  num_key_value_heads: HEADS,
  head_dim: HEAD_DIM,
  vocab_size: VOCABULARY,
};
