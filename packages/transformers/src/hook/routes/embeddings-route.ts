// The route of most models: a vision encoder, an embedding table, and a decoder that takes embeddings.

import { SALIENCY_OUTPUT } from '../../features/vision-saliency.js';
import { tappedOutputs } from '../../internal/tapped-sessions.js';
import { runSession } from '../../upstream/run-session.js';
import { makeTensor, toFloatType } from '../../upstream/tensors.js';
import type { ModelInputs, ModelLike, TensorData, TensorLike } from '../../upstream/types.js';
import { tensorAt } from '../../upstream/types.js';
import type { Forward, Route, ShortPrompt } from '../route.js';

/** Names under which the encoder's inputs reach the model, where they differ from the session's own. */
const aliases: Readonly<Record<string, string>> = {
  grid_thw: 'image_grid_thw',
  pixel_position_ids: 'image_position_ids',
};

/** Images in through `vision_encoder`, text through `embed_tokens`, and everything on as `inputs_embeds`. */
export const embeddingsRoute: Route = {
  sessions: ['vision_encoder', 'embed_tokens', 'decoder_model_merged'],
  decoder: 'decoder_model_merged',
  imageInputs: ['pixel_values', 'pixel_attention_mask', 'spatial_shapes', 'image_position_ids'],

  async encode(model, inputs) {
    const feeds: ModelInputs = { ...inputs };
    for (const [session, given] of Object.entries(aliases)) feeds[session] = inputs[session] ?? inputs[given];
    const pixels = tensorAt(inputs, 'pixel_values') as TensorLike;
    const {
      image_features,
      [SALIENCY_OUTPUT]: saliency,
      ...others
    } = await runSession(model, 'vision_encoder', feeds, pixels);
    return {
      projected: image_features as TensorLike,
      others: tappedOutputs(model.sessions.vision_encoder, others),
      ...(saliency && { saliency }),
    };
  },

  async embedText(model, ids) {
    const { inputs_embeds } = await runSession(model, 'embed_tokens', { input_ids: ids }, ids);
    return inputs_embeds as TensorLike;
  },

  async prefill(model: ModelLike, forward: Forward, prompt: ShortPrompt) {
    const { ids, inputs } = prompt;
    // Some embedding tables have a second output (per-layer inputs of Gemma 3n); the decoder takes whatever there is.
    const { inputs_embeds, ...more } = await runSession(model, 'embed_tokens', { input_ids: ids }, ids);
    return await forward({
      ...inputs,
      ...more,
      inputs_embeds: withVision(inputs_embeds as TensorLike, prompt),
    });
  },
};

/** A copy of embeddings `[batch, tokens, D]` with the kept vision tokens in their places. */
function withVision(embeddings: TensorLike, { slots, kept }: ShortPrompt): TensorLike {
  const [, tokens = 0, width = 0] = embeddings.dims;
  const rows = toFloatType(kept, embeddings.type).data as Float32Array;
  const data = (embeddings.data as Float32Array).slice();
  let next = 0;
  slots.forEach((columns, row) => {
    for (const column of columns) {
      data.set(rows.subarray(next * width, (next + 1) * width), (row * tokens + column) * width);
      next++;
    }
  });
  return makeTensor(embeddings, embeddings.type, data as TensorData, embeddings.dims);
}
