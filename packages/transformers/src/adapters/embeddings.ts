// The adapters of models with a vision encoder, an embedding table, and a language model that takes embeddings.

import { runSession } from '../internal/session.js';
import { tappedOutputs } from '../internal/tapped-sessions.js';
import { writeRowsAt } from '../internal/tensors.js';
import { type ModelInputs, type ModelLike, type TensorLike, tensorAt } from '../internal/types.js';
import type { EncodedVision, Forward, ModelAdapter, ShortPrompt } from './adapter.js';

/** The encoder's output `[images or tiles, n]` of numbers ≥ 0, in the order of the vision tokens. */
export const SALIENCY_OUTPUT = 'vision_saliency';

/** Names of the encoder's inputs on the model, if they differ from the session's own. */
const aliases: Readonly<Record<string, string>> = {
  grid_thw: 'image_grid_thw',
  pixel_position_ids: 'image_position_ids',
};

/** Runs the session `vision_encoder` and sorts its outputs. */
export async function encodeVision(model: ModelLike, inputs: ModelInputs): Promise<EncodedVision> {
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
}

/** Input embeddings of the shortened prompt with its vision tokens, and the other outputs of the embedding table. */
async function embedPrompt(
  model: ModelLike,
  { ids, visionPositions, kept }: ShortPrompt,
): Promise<Record<string, TensorLike>> {
  // Some embedding tables have a second output (per-layer inputs of Gemma 3n); the decoder takes every output there is.
  const { inputs_embeds, ...more } = await runSession(model, 'embed_tokens', { input_ids: ids }, ids);
  return { ...more, inputs_embeds: writeRowsAt(inputs_embeds as TensorLike, visionPositions, kept) };
}

/** Encodes images with `vision_encoder`, embeds text with `embed_tokens`, and passes everything on as `inputs_embeds`. */
export const embeddingsAdapter: ModelAdapter = {
  sessions: ['vision_encoder', 'embed_tokens', 'decoder_model_merged'],
  encoder: 'vision_encoder',
  decoder: 'decoder_model_merged',
  placement: 'placeholders',
  imageInputs: ['pixel_values', 'pixel_attention_mask', 'spatial_shapes', 'image_position_ids'],
  encode: encodeVision,

  async embedText(model, ids) {
    const { inputs_embeds } = await runSession(model, 'embed_tokens', { input_ids: ids }, ids);
    return inputs_embeds as TensorLike;
  },

  async prefill(model: ModelLike, forward: Forward, prompt: ShortPrompt) {
    return await forward({ ...prompt.inputs, ...(await embedPrompt(model, prompt)) });
  },
};

/**
 * The adapter of Florence-2, an encoder-decoder whose encoder reads the vision tokens, then the text. The prompt has no
 * placeholders. The decoder is not patched: pruning changes what `_prepare_inputs_embeds` passes to the encoder, so `prefill` only
 * builds the embeddings.
 */
export const encoderDecoderAdapter: ModelAdapter = {
  ...embeddingsAdapter,
  sessions: ['vision_encoder', 'embed_tokens', 'model', 'decoder_model_merged'],
  decoder: 'model',
  placement: 'beforeText',
  async prefill(model, forward, prompt) {
    const { inputs_embeds } = await embedPrompt(model, prompt);
    return await forward({ attention_mask: prompt.inputs.attention_mask, inputs_embeds });
  },
};
