// All families, and how to find the one of a model.

import { UnsupportedModelError } from '../errors/unsupported-model-error.js';
import type { ModelLike } from '../upstream/types.js';
import type { ModelFamily, PrunedFamily } from './family.js';
import { florence2 } from './florence2.js';
import { gemma3 } from './gemma3.js';
import { gemma3n } from './gemma3n.js';
import { gemma4 } from './gemma4.js';
import { glmOcr } from './glm-ocr.js';
import { idefics3 } from './idefics3.js';
import { janus } from './janus.js';
import { lfm2Vl } from './lfm2-vl.js';
import { lightOnOcr } from './lighton-ocr.js';
import { llava } from './llava.js';
import { llavaOnevision } from './llava-onevision.js';
import { llavaQwen2 } from './llava-qwen2.js';
import { mistral3 } from './mistral3.js';
import { moondream1 } from './moondream1.js';
import { paligemma } from './paligemma.js';
import { phi3V } from './phi3-v.js';
import { qwen25Vl } from './qwen2-5-vl.js';
import { qwen2Vl } from './qwen2-vl.js';
import { qwen35 } from './qwen3-5.js';
import { qwen3Vl } from './qwen3-vl.js';
import { refused } from './refused.js';
import { smolvlm } from './smolvlm.js';

/** Every family that transformers.js runs. */
export const families: readonly ModelFamily[] = [
  llava,
  llavaOnevision,
  llavaQwen2,
  moondream1,
  paligemma,
  gemma3,
  gemma3n,
  gemma4,
  idefics3,
  smolvlm,
  mistral3,
  lightOnOcr,
  lfm2Vl,
  qwen2Vl,
  qwen25Vl,
  qwen3Vl,
  qwen35,
  glmOcr,
  phi3V,
  florence2,
  janus,
  ...refused,
];

/** The family of a `model_type`, if it is known. */
export function familyOf(modelType: string): ModelFamily | undefined {
  return families.find((family) => family.modelTypes.includes(modelType));
}

/**
 * The family of a loaded model.
 * @throws UnsupportedModelError naming why, if it is not one that can be pruned.
 */
export function prunedFamilyOf(model: ModelLike | null | undefined): PrunedFamily {
  const modelType = typeof model?.config?.model_type === 'string' ? model.config.model_type : undefined;
  const isGenerating =
    typeof model?.sessions === 'object' && model.sessions !== null && typeof model.generate === 'function';
  if (modelType === undefined || !isGenerating) {
    throw new UnsupportedModelError(
      modelType,
      'it is not a generating model of transformers.js; pass what from_pretrained() returned',
    );
  }
  const family = familyOf(modelType);
  if (family === undefined) {
    const known = families.flatMap((one) => (one.status === 'pruned' ? one.modelTypes : [])).join(', ');
    throw new UnsupportedModelError(modelType, `its model_type is not among those known here (${known})`);
  }
  if (family.status === 'refused') throw new UnsupportedModelError(modelType, family.reason);
  const missing = family.route.sessions.filter((session) => model.sessions[session] === undefined);
  if (missing.length > 0) {
    throw new UnsupportedModelError(
      modelType,
      `it was loaded without its ${missing.join(' and ')}; load it with ${loaderOf(family, modelType)}, not with a text-only class`,
    );
  }
  return family;
}

/** The transformers.js class that loads a model type of a family. */
export function loaderOf(family: PrunedFamily, modelType: string): string {
  return typeof family.className === 'string' ? family.className : (family.className[modelType] as string);
}
