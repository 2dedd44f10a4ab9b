// LLaVA-OneVision: transformers.js has an image processor for it, but no processor and no tiles; the user repeats the placeholder.
import { LlavaOnevisionForConditionalGeneration } from '@huggingface/transformers';
import { VISION_HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { tokenizedApart } from '../processing.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { SIGLIP_PREPROCESSOR, SQUARE_PATCHES } from '../vision/square-image.js';
import { llava } from './llava.js';

const { processor: _, ...base } = llava;

export const llavaOnevision: Family = {
  ...base,
  name: 'llava_onevision',
  modelClass: LlavaOnevisionForConditionalGeneration,
  // The class is LLaVA's own under a second name.
  architecture: 'LlavaOnevisionForConditionalGeneration',
  severalImages: true,
  config: (id) => ({
    image_token_index: id('<image>'),
    text_config: { model_type: 'qwen2', ...TEXT_CONFIG },
    vision_config: { model_type: 'siglip_vision_model', hidden_size: VISION_HIDDEN },
  }),
  preprocessor: {
    ...SIGLIP_PREPROCESSOR,
    image_processor_type: 'LlavaOnevisionImageProcessor',
    processor_class: 'LlavaOnevisionProcessor',
  },
  process: tokenizedApart('<image>', SQUARE_PATCHES),
};
