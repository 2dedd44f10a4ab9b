// Looks up the family of a model in the table of families.

import { UnsupportedModelError } from '../errors.js';
import type { ModelLike } from '../internal/types.js';
import type { ModelFamily, PrunedFamily } from './family.js';
import { families } from './table.js';

export { families };

/** The family of a `model_type`, if known. */
export function familyOf(modelType: string): ModelFamily | undefined {
  return families.find((family) => family.modelTypes.includes(modelType));
}

/**
 * The family of a loaded model.
 * @throws UnsupportedModelError with the reason, if the model cannot be pruned.
 */
export function prunedFamilyOf(model: ModelLike | null | undefined): PrunedFamily {
  const modelType = typeof model?.config?.model_type === 'string' ? model.config.model_type : undefined;
  const isGenerating =
    typeof model?.sessions === 'object' && model.sessions !== null && typeof model.generate === 'function';
  if (modelType === undefined || !isGenerating) {
    throw new UnsupportedModelError(
      modelType,
      'it is not a generative transformers.js model; pass the result of from_pretrained()',
    );
  }
  const family = familyOf(modelType);
  if (family === undefined) {
    const known = families.flatMap((one) => (one.status === 'pruned' ? one.modelTypes : [])).join(', ');
    throw new UnsupportedModelError(modelType, `its model_type is not one of ${known}`);
  }
  if (family.status === 'unsupported') throw new UnsupportedModelError(modelType, family.reason);
  const missing = family.adapter.sessions.filter((session) => model.sessions[session] === undefined);
  if (missing.length > 0) {
    throw new UnsupportedModelError(
      modelType,
      `it was loaded without ${missing.join(' and ')}; load it with ${loaderOf(family, modelType)} instead of a text-only class`,
    );
  }
  return family;
}

/** The transformers.js class that loads a model type of a family. */
export function loaderOf(family: PrunedFamily, modelType: string): string {
  return typeof family.className === 'string' ? family.className : (family.className[modelType] as string);
}
