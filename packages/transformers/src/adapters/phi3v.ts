// The adapter of Phi-3 Vision: one session embeds text and image features together, told apart by negative ids.

import { UnsupportedModelError } from '../errors.js';
import { runSession } from '../internal/session.js';
import { makeTensor } from '../internal/tensors.js';
import { type ModelLike, numberAt, section, type TensorLike } from '../internal/types.js';
import type { ModelAdapter } from './adapter.js';
import { encodeVision } from './embeddings.js';

/** Embeddings `[batch, tokens, D]` of ids, with image features `[vision tokens, D]` in place of negative ids. */
async function embed(model: ModelLike, ids: TensorLike, features: TensorLike): Promise<TensorLike> {
  const feeds = { input_ids: ids, image_features: features };
  const { inputs_embeds } = await runSession(model, 'prepare_inputs_embeds', feeds, ids);
  return inputs_embeds as TensorLike;
}

function hiddenSize({ config }: ModelLike): number {
  const size =
    numberAt(section(config, 'normalized_config'), 'hidden_size') ?? numberAt(config, 'hidden_size');
  if (size === undefined)
    throw new UnsupportedModelError(String(config.model_type), 'its config.json has no hidden_size');
  return size;
}

/** Encodes images with `vision_encoder` and merges them with the text in `prepare_inputs_embeds`. */
export const phi3vAdapter: ModelAdapter = {
  sessions: ['vision_encoder', 'prepare_inputs_embeds', 'model'],
  encoder: 'vision_encoder',
  decoder: 'model',
  placement: 'placeholders',
  imageInputs: ['pixel_values', 'image_sizes'],
  encode: encodeVision,

  async embedText(model, ids) {
    return await embed(model, ids, makeTensor(ids, 'float32', new Float32Array(0), [0, hiddenSize(model)]));
  },

  async prefill(model, forward, { ids, inputs, kept }) {
    return await forward({ ...inputs, inputs_embeds: await embed(model, ids, kept) });
  },
};
