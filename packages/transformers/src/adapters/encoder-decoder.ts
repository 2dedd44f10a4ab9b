// The adapter of Florence-2: an encoder-decoder whose encoder reads the vision tokens, then the text.

import type { ModelAdapter } from './adapter.js';
import { embeddingsAdapter, embedPrompt } from './embeddings.js';

/**
 * The prompt has no placeholders: vision tokens come before it. The decoder is not patched; pruning changes what
 * `_prepare_inputs_embeds` passes to the encoder, so the "prefill" ends with the embeddings.
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
