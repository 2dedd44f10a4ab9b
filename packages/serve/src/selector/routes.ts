// How vLLM 0.32 accepts rows of each family. LLaVA, LLaVA-NeXT, and Qwen2-VL were tested; the others come from reading its code.

import { ServeStartError } from '../errors.js';
import type { WireRoute } from './selector.js';

/** Why vLLM does not accept kept rows of a model type. */
const REFUSED: readonly (readonly [types: readonly string[], reason: string])[] = [
  [
    ['idefics3', 'smolvlm', 'mistral3', 'lighton_ocr', 'lfm2_vl', 'lfm2-vl'],
    "vLLM derives the number of their vision tokens from the image's size, so it cannot take fewer rows",
  ],
  [['gemma3', 'gemma3n', 'gemma4'], 'vLLM refuses image embeddings of this family'],
  [
    ['qwen3_vl', 'qwen3_5', 'glm_ocr'],
    'vLLM expects features of several layers in its rows, which the vision encoder here does not return',
  ],
  [['phi3_v'], 'its encoder here returns rows in a different form than vLLM expects'],
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
  const reason =
    REFUSED.find(([types]) => types.includes(type))?.[1] ?? 'this type is unknown or was never tested';
  throw new ServeStartError(
    `Models of type '${type}' cannot be sent to vLLM as kept rows: ${reason}. Serve them with the local engine.`,
  );
}
