// FastVLM (LLaVA on Qwen2): LLaVA with a flat config.
import { LlavaQwen2ForCausalLM } from '@huggingface/transformers';
import type { Family } from '../family.js';
import { TEXT_CONFIG } from '../text/text-config.js';
import { llava } from './llava.js';

export const llavaQwen2: Family = {
  ...llava,
  name: 'llava_qwen2',
  modelClass: LlavaQwen2ForCausalLM,
  config: (id) => ({ ...TEXT_CONFIG, image_token_index: id('<image>') }),
};
