// Qwen 3.5, dense and with experts: Qwen3-VL with a layer of linear attention, with a window and a matrix as caches.
import {
  Qwen3_5ForConditionalGeneration,
  Qwen3_5MoeForConditionalGeneration,
} from '@huggingface/transformers';
import { attentionLayer } from '../decoder/attention-layer.js';
import { linearAttentionLayer } from '../decoder/linear-attention-layer.js';
import type { Family, Json } from '../family.js';
import { imageTextSessions } from '../sessions.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { gridVision } from '../vision/grid-patches.js';
import { qwen3Vl } from './qwen3-vl.js';

const textConfig = (model_type: string): Json => ({
  model_type,
  layer_types: ['linear_attention', 'full_attention'],
  ...TEXT_CONFIG,
});

export const qwen3_5: Family = {
  ...qwen3Vl,
  name: 'qwen3_5',
  modelClass: Qwen3_5ForConditionalGeneration,
  config: (id) => ({ ...qwen3Vl.config(id), text_config: textConfig('qwen3_5_text') }),
  sessions: (build) =>
    imageTextSessions(build, (g) => gridVision(g, { gridInput: 'image_grid_thw' }), {
      layers: [linearAttentionLayer, attentionLayer],
      numLogitsToKeep: true,
    }),
};

export const qwen3_5Moe: Family = {
  ...qwen3_5,
  name: 'qwen3_5_moe',
  modelClass: Qwen3_5MoeForConditionalGeneration,
  config: (id) => ({ ...qwen3Vl.config(id), text_config: textConfig('qwen3_5_moe_text') }),
};
