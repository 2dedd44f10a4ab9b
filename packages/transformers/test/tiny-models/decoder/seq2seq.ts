// Encoder and decoder of an encoder-decoder language model (BART), for the one family that has them.
import { HEAD_DIM, HEADS, HIDDEN, LAYERS } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import {
  add,
  cast,
  concat,
  feedForward,
  layerNorm,
  length,
  positionCode,
  range,
  unsqueeze,
} from '../graph/operators.js';
import { attend, heads, joinHeads } from './attention.js';
import { languageModelHead } from './decoder.js';

/** Describes `encoder_model` in `g`: embeddings and their mask in, `last_hidden_state` out. */
export function encoder(g: GraphBuilder): void {
  const embeddings = g.input('inputs_embeds', 'float32', ['batch_size', 'encoder_sequence_length', HIDDEN]);
  const attentionMask = g.input('attention_mask', 'int64', ['batch_size', 'encoder_sequence_length']);
  const mask = paddingMask(g, attentionMask);
  const places = range(g, length(g, embeddings, 1));
  let x = add(g, embeddings, positionCode(g, places, 'position', HIDDEN));
  for (let index = 0; index < LAYERS; index++) {
    const name = `/encoder.${index}`;
    const normed = layerNorm(g, x, `${name}/norm`, HIDDEN);
    const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((projection) =>
      heads(g, normed, `${name}/${projection}`),
    ) as [Value, Value, Value];
    x = add(g, x, joinHeads(g, attend(g, query, key, value, mask), `${name}/o_proj`));
    x = feedForward(g, x, `${name}/mlp`, HIDDEN);
  }
  g.output('last_hidden_state', layerNorm(g, x, '/encoder/norm', HIDDEN));
}

/**
 * Describes `decoder_model_merged` in `g`. Keys and values of the encoder's states are computed in the first step and
 * taken from the cache when `use_cache_branch` says so.
 */
export function crossDecoder(g: GraphBuilder): void {
  const embeddings = g.input('inputs_embeds', 'float32', ['batch_size', 'decoder_sequence_length', HIDDEN]);
  const states = g.input('encoder_hidden_states', 'float32', [
    'batch_size',
    'encoder_sequence_length',
    HIDDEN,
  ]);
  const encoderMask = g.input('encoder_attention_mask', 'int64', ['batch_size', 'encoder_sequence_length']);
  const useCache = g.input('use_cache_branch', 'bool', [1]);
  const caches = Array.from({ length: LAYERS }, (_, index) => cacheInputs(g, index));

  const past = length(g, caches[0]!.decoder.key, 2);
  const total = g.op('Add', [past, length(g, embeddings, 1)]);
  const places = range(g, total, past);
  const causal = g.op('LessOrEqual', [range(g, total), unsqueeze(g, places, [1])]);
  const mask = paddingMask(g, encoderMask);

  let x = add(g, embeddings, positionCode(g, places, 'position', HIDDEN));
  for (const [index, cache] of caches.entries()) {
    const name = `/decoder.${index}`;
    const normed = layerNorm(g, x, `${name}/self/norm`, HIDDEN);
    const [ownKey, ownValue] = (['key', 'value'] as const).map((kind) => {
      const all = concat(g, [cache.decoder[kind], heads(g, normed, `${name}/self/${kind}`)], 2);
      g.output(`present.${index}.decoder.${kind}`, all);
      return all;
    }) as [Value, Value];
    const own = attend(g, heads(g, normed, `${name}/self/query`), ownKey, ownValue, causal);
    x = add(g, x, joinHeads(g, own, `${name}/self/o_proj`));

    const [seenKey, seenValue] = (['key', 'value'] as const).map((kind) => {
      const seen = cachedOrComputed(g, useCache, cache.encoder[kind], states, `${name}/cross/${kind}`);
      g.output(`present.${index}.encoder.${kind}`, seen);
      return seen;
    }) as [Value, Value];
    const asking = layerNorm(g, x, `${name}/cross/norm`, HIDDEN);
    const seen = attend(g, heads(g, asking, `${name}/cross/query`), seenKey, seenValue, mask);
    x = add(g, x, joinHeads(g, seen, `${name}/cross/o_proj`));
    x = feedForward(g, x, `${name}/mlp`, HIDDEN);
  }
  g.output('logits', languageModelHead(g, layerNorm(g, x, '/decoder/norm', HIDDEN)));
}

/** True at tokens, false at padding: `[batch, 1, 1, n]`. */
function paddingMask(g: GraphBuilder, attentionMask: Value): Value {
  return unsqueeze(g, cast(g, attentionMask, 'bool'), [1, 2]);
}

type KeyValue = Record<'key' | 'value', Value>;

function cacheInputs(g: GraphBuilder, index: number): Record<'decoder' | 'encoder', KeyValue> {
  const input = (part: 'decoder' | 'encoder', kind: 'key' | 'value'): Value =>
    g.input(`past_key_values.${index}.${part}.${kind}`, 'float32', [
      'batch_size',
      HEADS,
      `past_${part}_sequence_length`,
      HEAD_DIM,
    ]);
  return {
    decoder: { key: input('decoder', 'key'), value: input('decoder', 'value') },
    encoder: { key: input('encoder', 'key'), value: input('encoder', 'value') },
  };
}

/** The cache if `useCache` is true, otherwise heads of the encoder's states. */
function cachedOrComputed(
  g: GraphBuilder,
  useCache: Value,
  cache: Value,
  states: Value,
  name: string,
): Value {
  const cached = g.subgraph(`${name}/cached`);
  cached.output(`${name}/from_cache`, cache);
  const computed = g.subgraph(`${name}/computed`);
  computed.output(`${name}/from_states`, heads(computed, states, name));
  return g.op(
    'If',
    [useCache],
    { then_branch: { graph: cached.graph() }, else_branch: { graph: computed.graph() } },
    `${name}/If`,
  );
}
