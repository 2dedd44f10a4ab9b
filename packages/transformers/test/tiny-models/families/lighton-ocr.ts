// LightOnOCR: Mistral 3's vision with a Qwen 3 language model.
import { LightOnOcrForConditionalGeneration } from '@huggingface/transformers';
import { PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { mistral3 } from './mistral3.js';

export const lightonOcr: Family = {
  ...mistral3,
  name: 'lighton_ocr',
  modelClass: LightOnOcrForConditionalGeneration,
  config: (id) => ({
    image_token_id: id('[IMG]'),
    spatial_merge_size: 2,
    text_config: { model_type: 'qwen3', ...TEXT_CONFIG },
    vision_config: { model_type: 'pixtral', hidden_size: VISION_HIDDEN, patch_size: PATCH },
  }),
};
