// How vLLM takes rows of each family, by what was tried and read of vLLM 0.32.

import { ServeStartError } from '../errors.js';
import type { WireRoute } from './selector.js';

/** Why vLLM takes no kept rows of a model type. */
const REFUSED: readonly (readonly [types: readonly string[], reason: string])[] = [
  [
    ['idefics3', 'smolvlm', 'mistral3', 'lighton_ocr', 'lfm2_vl', 'lfm2-vl'],
    "vLLM makes room for their vision tokens from the image's size, so it cannot take fewer rows",
  ],
  [['gemma3', 'gemma3n', 'gemma4'], 'vLLM refuses image embeddings of this family'],
  [
    ['qwen3_vl', 'qwen3_5', 'glm_ocr'],
    'its rows carry more than the vision encoder gives here (features of several layers)',
  ],
  [['phi3_v'], 'its encoder here gives rows in another form than vLLM takes'],
  [['llava_onevision'], 'transformers.js has no processor for it'],
  [['llava_qwen2', 'moondream1', 'florence2', 'multi_modality'], 'vLLM has no model of this family'],
];

/**
 * The route of a model.
 * @throws ServeStartError for families that cannot be served, saying why.
 */
export function routeOf(config: Readonly<Record<string, unknown>>): WireRoute {
  const type = String(config.model_type);
  if (['llava', 'llava_next', 'paligemma'].includes(type)) return { part: 'image_embeds' };
  if (type === 'qwen2_vl' || type === 'qwen2_5_vl') {
    const vision = config.vision_config as { readonly spatial_merge_size?: number } | undefined;
    return { part: 'image_embeds', merge: vision?.spatial_merge_size ?? 2 };
  }
  const reason = REFUSED.find(([types]) => types.includes(type))?.[1] ?? 'it was not tried';
  throw new ServeStartError(
    `Models of type '${type}' cannot be sent to vLLM as kept rows: ${reason}. Serve it by the local engine.`,
  );
}
