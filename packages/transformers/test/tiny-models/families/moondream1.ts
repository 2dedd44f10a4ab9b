// Moondream: LLaVA with a Phi language model and no processor; the user repeats the placeholder.
import { Moondream1ForConditionalGeneration } from '@huggingface/transformers';
import type { Family } from '../family.js';
import { tokenizedApart } from '../processing.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { CLIP_PREPROCESSOR, SQUARE_PATCHES } from '../vision/square-image.js';
import { llava } from './llava.js';

const { processor: _, ...base } = llava;

export const moondream1: Family = {
  ...base,
  name: 'moondream1',
  modelClass: Moondream1ForConditionalGeneration,
  severalImages: true,
  config: (id) => ({ image_token_index: id('<image>'), phi_config: { model_type: 'phi', ...TEXT_CONFIG } }),
  preprocessor: CLIP_PREPROCESSOR,
  process: tokenizedApart('<image>', SQUARE_PATCHES),
};
