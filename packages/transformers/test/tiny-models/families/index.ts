// All families by name. To add one: write its file, then list it here.
import type { Family } from '../family.js';
import { florence2 } from './florence2.js';
import { gemma3 } from './gemma3.js';
import { gemma3n } from './gemma3n.js';
import { gemma4 } from './gemma4.js';
import { glmOcr } from './glm-ocr.js';
import { idefics3 } from './idefics3.js';
import { lfm2Vl } from './lfm2-vl.js';
import { lightonOcr } from './lighton-ocr.js';
import { llava } from './llava.js';
import { llavaOnevision } from './llava-onevision.js';
import { llavaQwen2 } from './llava-qwen2.js';
import { mistral3 } from './mistral3.js';
import { moondream1 } from './moondream1.js';
import { multiModality } from './multi-modality.js';
import { paligemma } from './paligemma.js';
import { phi3V } from './phi3-v.js';
import { qwen2_5Vl } from './qwen2-5-vl.js';
import { qwen2Vl } from './qwen2-vl.js';
import { qwen3_5, qwen3_5Moe } from './qwen3-5.js';
import { qwen3Vl, qwen3VlMoe } from './qwen3-vl.js';
import { smolvlm } from './smolvlm.js';

export const families = {
  llava,
  llava_onevision: llavaOnevision,
  llava_qwen2: llavaQwen2,
  moondream1,
  paligemma,
  gemma3,
  gemma3n,
  gemma4,
  idefics3,
  smolvlm,
  mistral3,
  lighton_ocr: lightonOcr,
  lfm2_vl: lfm2Vl,
  qwen2_vl: qwen2Vl,
  qwen2_5_vl: qwen2_5Vl,
  qwen3_vl: qwen3Vl,
  qwen3_vl_moe: qwen3VlMoe,
  qwen3_5,
  qwen3_5_moe: qwen3_5Moe,
  glm_ocr: glmOcr,
  phi3_v: phi3V,
  florence2,
  multi_modality: multiModality,
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;

/** Every family, for tests that run over all of them. */
export const familyNames: readonly FamilyName[] = Object.keys(families) as FamilyName[];
